# SPDX-License-Identifier: MIT
"""Races: the same iteration by several programs in one run, their losses compared before."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional

from report.ceilings import ceiling
from report.rows import ResultError, Row


@dataclass(frozen=True)
class Contender:
    program: str
    form: str
    precision: str
    seconds: float
    fastest: float
    slowest: float
    difference: float  # of the loss, relative to Impasto's in fp32

    @property
    def is_ours(self) -> bool:
        return self.program == "Impasto"

    def label_beside(self, precision: str) -> str:
        """Its own precision is said where it is not that of ours."""
        words = [self.program, self.form, "" if self.precision == precision else self.precision]
        return ", ".join(word for word in words if word)


@dataclass(frozen=True)
class Race:
    size: int
    batch: int
    contenders: List[Contender]
    context: Dict[str, Any]

    def own(self, precision: str) -> Optional[Contender]:
        ours = [one for one in self.contenders if one.is_ours and one.precision == precision]
        return ours[0] if ours else None

    def counterpart(self, one: Contender) -> str:
        """The precision in which ours is held against it: the same, bf16 for autocast, else fp32."""
        precision = "bf16" if one.precision == "autocast" else one.precision
        return precision if self.own(precision) else "fp32"

    def group(self, precision: str) -> List[Contender]:
        """All that are held against ours in `precision`, the fastest first."""
        found = [one for one in self.contenders if self.counterpart(one) == precision]
        return sorted(found, key=lambda one: one.seconds)


def contender_of(entry: Dict[str, Any]) -> Contender:
    """From either form of file: with the extremes of its iterations, or every round's median."""
    seconds = entry["seconds_per_iteration"]
    rounds = entry.get("rounds", [])
    fastest = entry["fastest_iteration"] if not rounds else min(rounds)
    slowest = entry["slowest_iteration"] if not rounds else max(rounds)
    differences = entry.get("differences", {})
    if "largest_loss_difference" in entry:
        difference = entry["largest_loss_difference"]
    else:
        difference = differences.get("loss of all pictures", 0.0)
    names = (entry["program"], entry["form"], entry["precision"])
    return Contender(*names, seconds, fastest, slowest, difference)


def race_of(path: Path, entry: Dict[str, Any], context: Dict[str, Any]) -> Race:
    """Without the contenders that were not timed, because they failed or their losses differ."""
    try:
        timed = [
            one for one in entry["contenders"] if one.get("agrees", True) and "error" not in one
        ]
        contenders = [contender_of(one) for one in timed]
        return Race(entry["size"], entry.get("batch", 1), contenders, context)
    except KeyError as error:
        raise ResultError(f"{path}: expected {error} of a contender or a race") from error


def rows_beside(path: Path, document: Dict[str, Any]) -> List[Row]:
    """The steps and ceilings that the comparison on the CPU also measures. The losses were compared
    before anything was timed, so the steps are checked."""
    context = document["context"]
    rows = [
        Row(name, path, (seconds,), {"verified": 1.0}, context)
        for name, seconds in document.get("step_seconds", {}).items()
    ]
    for key, counter in (("flops", "FLOP/s"), ("bytes_per_second", "bytes/s")):
        for name, rate in document.get(key, {}).items():
            rows.append(ceiling(path, name, counter, rate, context))
    return rows
