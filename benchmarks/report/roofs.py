# SPDX-License-Identifier: MIT
"""What the machine can do at most, from its measured ceilings: the denominators of the page."""

from dataclasses import dataclass
from typing import Dict, Iterable, List, Optional

from report.names import PRECISIONS
from report.rows import Row


@dataclass(frozen=True)
class Ceiling:
    name: str
    rate: float  # FLOP/s or bytes/s
    precision: str  # "" for bandwidth


def precision_of(name: str) -> str:
    """ "fma/512/2" multiplies float; "bf16_dot/512/2" says its type."""
    return next((precision for precision in PRECISIONS if precision in name), "fp32")


@dataclass(frozen=True)
class Roofs:
    compute: List[Ceiling]
    bandwidths: List[Ceiling]

    @property
    def bandwidth(self) -> Optional[Ceiling]:
        """Of memory. Ceilings of a cache are drawn and are nobody's denominator."""
        memory = [one for one in self.bandwidths if one.name.startswith("copy")]
        return max(memory, key=lambda one: one.rate, default=None)

    def peak(self, precision: str) -> Optional[Ceiling]:
        """The highest rate for values stored in `precision`: its own or, widened, float's."""
        usable = [one for one in self.compute if one.precision in (precision, "fp32")]
        return max(usable, key=lambda one: one.rate, default=None)

    def rate_at(self, intensity: float, precision: str) -> Optional[float]:
        """FLOP/s of the roof above `intensity`."""
        peak, bandwidth = self.peak(precision), self.bandwidth
        if peak is None or bandwidth is None:
            return None
        return min(peak.rate, intensity * bandwidth.rate)

    def floor(self, flops: float, bytes_moved: float, precision: str) -> Optional[float]:
        """The seconds that work takes at least."""
        peak, bandwidth = self.peak(precision), self.bandwidth
        if peak is None or bandwidth is None:
            return None
        return max(flops / peak.rate, bytes_moved / bandwidth.rate)


def roofs_of(rows: Iterable[Row]) -> Roofs:
    """A ceiling that several files measured is what the fastest of them saw."""
    compute: Dict[str, Ceiling] = {}
    bandwidths: Dict[str, Ceiling] = {}
    for row in rows:
        if not row.is_ceiling:
            continue
        of_memory = row.amount("bytes") > 0
        amount = row.amount("bytes") if of_memory else row.amount("flops")
        one = Ceiling(row.name, amount / row.seconds, "" if of_memory else precision_of(row.name))
        known = bandwidths if of_memory else compute
        if one.rate > 0 and (row.name not in known or known[row.name].rate < one.rate):
            known[row.name] = one
    return Roofs(list(compute.values()), list(bandwidths.values()))
