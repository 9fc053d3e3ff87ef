#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Two files of measurements beside each other: medians, their change, and whether they differ by more than their
noise, by a two-sided Mann-Whitney test over the repetitions.

Says first what else differs between them than the program: a difference of device, load, clock or of what
held the clock is no difference of code. Such files are compared only with --anyway, and so is a row while which
other programs ran or the clock of the GPU was another.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import geometric_mean
from typing import Dict, List, Optional, Tuple

import context
from report import time
from results import ResultError, Row, device_name, foreign, gather_rows, load_before, read_json

ENOUGH = 9  # repetitions for the test to mean much
CORES_APART = 0.5  # as a share of all cores: the load before
OTHERS_APART, MOST_OTHERS = 0.1, 0.25  # the same: what other programs used while rows were measured
CLOCK_APART = 1.05
REFUSED, NOT_WRITTEN = 8, 6


@dataclass(frozen=True)
class Measured:
    """A file: the rows that have times, by name, and what they were measured on."""

    path: Path
    rows: Dict[str, Row]
    device: str
    cores: float
    load: float  # on each core, before
    mhz: Optional[float]
    held_by: str  # the GPU's clock


def read(path: Path) -> Measured:
    document = read_json(path)
    about = document["context"]
    with foreign(path):
        rows = {row.name: row for row in gather_rows(path, document["benchmarks"]) if row.seconds_of}
        if not rows:
            raise ResultError(f"{path}: expected 'benchmarks' with times")
        cores = float(about.get("num_cpus") or (about.get("cpu") or {}).get("cores") or 1)
        load = (load_before(about) or 0.0) / cores
        mhz = float(about["mhz_per_cpu"]) if about.get("mhz_per_cpu") else None
        held_by = " and ".join(document.get("throttled") or ["nothing"])
        return Measured(path, rows, device_name(about), cores, load, mhz, held_by)


def clocks_apart(old: float, new: float) -> bool:
    return max(old, new) > CLOCK_APART * min(old, new)


def objections(old: Measured, new: Measured) -> List[str]:
    """Why times of the two cannot be compared."""
    found = []
    if old.device != new.device:
        found.append(f"other devices: {old.device} and {new.device}")
    if abs(old.load - new.load) > CORES_APART:
        found.append(f"other load on each core before: {old.load:.1f} and {new.load:.1f}")
    if old.mhz and new.mhz and clocks_apart(old.mhz, new.mhz):
        found.append(f"other clocks: {old.mhz:.0f} and {new.mhz:.0f} MHz")
    if old.held_by != new.held_by:
        found.append(f"the GPU's clock was held by {old.held_by} and by {new.held_by}")
    return found


def disturbed(old: Measured, new: Measured) -> Dict[str, str]:
    """The rows of both files that cannot be compared, and why."""
    found = {}
    for name in sorted(old.rows.keys() & new.rows.keys()):
        before, after = old.rows[name].counters, new.rows[name].counters
        if "other_cores" in before and "other_cores" in after:
            shares = [before["other_cores"] / old.cores, after["other_cores"] / new.cores]
            if abs(shares[0] - shares[1]) > OTHERS_APART or max(shares) > MOST_OTHERS:
                found[name] = f"other programs used {shares[0]:.0%} and {shares[1]:.0%} of the cores meanwhile"
        if "sm_mhz" in before and "sm_mhz" in after and clocks_apart(before["sm_mhz"], after["sm_mhz"]):
            found[name] = f"{before['sm_mhz']:.0f} and {after['sm_mhz']:.0f} MHz of the GPU's multiprocessors"
    return found


def chance(old: Row, new: Row) -> str:
    """How often chance alone makes such a difference between times; of one repetition nobody knows."""
    try:
        from scipy.stats import mannwhitneyu  # only here: whoever is refused needs none
    except ImportError as error:
        sys.exit(f"{error}: expected python3-scipy")
    if min(len(old.seconds_of), len(new.seconds_of)) < 2:
        return "–"
    return f"{mannwhitneyu(old.seconds_of, new.seconds_of, alternative='two-sided').pvalue:.4f}"


def tables(pairs: List[Tuple[Row, Row]]) -> str:
    """Markdown, one table for each operation."""
    by_op: Dict[str, List[List[str]]] = {}
    for old, new in pairs:
        change = f"{100 * (new.seconds / old.seconds - 1):+.1f} %"
        cells = [old.name.split("/", 1)[-1], time(old.seconds), time(new.seconds), change, chance(old, new)]
        by_op.setdefault(old.parts.op, []).append(cells)
    text = ""
    for op, lines in by_op.items():
        lines.insert(0, ["", "old", "new", "change", "p"])
        first, *others = [max(2, *map(len, column)) for column in zip(*lines)]
        lines.insert(1, ["-" * first, *("-" * (width - 1) + ":" for width in others)])
        shown = [" | ".join([name.ljust(first), *map(str.rjust, cells, others)]) for name, *cells in lines]
        text += f"{op}\n\n" + "".join(f"| {line} |\n" for line in shown) + "\n"
    mean_change = geometric_mean([new.seconds / old.seconds for old, new in pairs]) - 1
    text += f"{len(pairs)} rows, whose times changed by {100 * mean_change:+.1f} % in the geometric mean\n"
    fewest = min(len(row.seconds_of) for pair in pairs for row in pair)
    if fewest < ENOUGH:
        text += f"p means little below {ENOUGH} repetitions on each side (--benchmark_repetitions={ENOUGH}): some have {fewest}\n"
    return text


def main() -> int:
    parser = context.parser(__doc__, prog="./dev compare")
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--anyway", action="store_true", help="compare what was not measured alike")
    arguments = parser.parse_args()
    try:
        old, new = read(arguments.old), read(arguments.new)
    except ResultError as error:
        parser.error(str(error))
    found, troubled = objections(old, new), disturbed(old, new)
    for sentence in [*found, *(f"{name}: {sentence}" for name, sentence in troubled.items())]:
        print(f"not measured alike: {sentence}", file=sys.stderr)
    for one, other in ((old, new), (new, old)):
        alone = [name for name in one.rows if name not in other.rows]
        if alone:
            print(f"only in {one.path}: {len(alone)} of {len(one.rows)} rows, {alone[0]} first", file=sys.stderr)
    in_common = [name for name in old.rows if name in new.rows]
    pairs = [(old.rows[name], new.rows[name]) for name in in_common if arguments.anyway or name not in troubled]
    if (found and not arguments.anyway) or not pairs:
        why = "--anyway compares what was not measured alike" if in_common else "the files have no row in common"
        print(f"nothing was compared: {why}", file=sys.stderr)
        return REFUSED
    try:
        print(tables(pairs), end="", flush=True)
    except OSError as error:
        print(f"./dev compare: standard output: {error.strerror}", file=sys.stderr)
        return NOT_WRITTEN
    return 0


if __name__ == "__main__":
    sys.exit(main())
