# SPDX-License-Identifier: MIT
"""Compares measurements: OLD and NEW are files of Google Benchmark's JSON, or folders of them.

Rows are matched by name. A row is slower when its repetitions are (Mann-Whitney, p below --alpha)
and its median grew by more than --threshold. Any such row ends the program with 8. Too few
repetitions to say, or no row in common, ends it with 2: nothing was judged.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Optional, Set

from compare_statistics import least_p, mann_whitney
from report import words
from report.rows import ResultError, Row, google_benchmark_rows, read_json

SLOWER, NOT_JUDGED = 8, 2


@dataclass(frozen=True)
class Verdict:
    name: str
    old: Row
    new: Row
    p: Optional[float]  # none: too few repetitions
    word: str

    @property
    def ratio(self) -> float:
        return self.new.seconds / self.old.seconds


def read_rows(path: Path) -> Dict[str, Row]:
    """Of a file, or of a folder's files: repetitions of one name in several files are one row."""
    if path.is_dir():
        files = sorted(path.glob("*.json"))
        if not files:
            raise ResultError(f"{path}: expected results (*.json) in it, found none")
    else:
        files = [path]
    rows: Dict[str, Row] = {}
    for file in files:
        document = read_json(file)
        if "benchmarks" not in document or "context" not in document:
            if not path.is_dir():
                raise ResultError(f"{file}: expected Google Benchmark's 'context' and 'benchmarks'")
            print(f"{file}: not of Google Benchmark, left out", file=sys.stderr)
            continue
        for row in google_benchmark_rows(file, document)[0]:
            before = rows[row.name].seconds_of if row.name in rows else ()
            rows[row.name] = Row(row.name, file, before + row.seconds_of, row.counters, row.context)
    if not rows:
        raise ResultError(f"{path}: expected rows of measurements, found none")
    return rows


def judge(old: Row, new: Row, alpha: float, threshold: float) -> Verdict:
    first, second = old.seconds_of, new.seconds_of
    if least_p(len(first), len(second)) >= alpha:
        return Verdict(old.name, old, new, None, "too few repetitions")
    _, p = mann_whitney(first, second)
    ratio = new.seconds / old.seconds
    if p >= alpha or abs(ratio - 1) <= threshold:
        return Verdict(old.name, old, new, p, "")
    return Verdict(old.name, old, new, p, "slower" if ratio > 1 else "faster")


def spread(row: Row) -> str:
    return "" if row.variation is None else f" ± {words.percent(row.variation)}"


def print_verdicts(verdicts: List[Verdict]) -> None:
    """The largest change first."""
    lines = [("row", "old", "new", "new/old", "p", "")]
    for one in sorted(verdicts, key=lambda each: -each.ratio):
        lines.append(
            (
                one.name,
                words.time(one.old.seconds) + spread(one.old),
                words.time(one.new.seconds) + spread(one.new),
                f"{one.ratio:.3f}",
                "–" if one.p is None else f"{one.p:.2g}",
                one.word,
            )
        )
    widths = [max(len(line[i]) for line in lines) for i in range(5)]
    for name, *figures, word in lines:
        columns = "  ".join(figure.rjust(width) for figure, width in zip(figures, widths[1:]))
        print(f"{name.ljust(widths[0])}  {columns}  {word}".rstrip())


def warn_of_machines(old: Dict[str, Row], new: Dict[str, Row]) -> None:
    def devices(rows: Dict[str, Row]) -> Set[str]:
        return {words.device(row.context) for row in rows.values()}

    if devices(old) != devices(new):
        print(
            f"OLD was measured on {', '.join(sorted(devices(old)))}, NEW on "
            f"{', '.join(sorted(devices(new)))}: the ratios compare machines",
            file=sys.stderr,
        )


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./dev compare",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("old", type=Path, metavar="OLD")
    parser.add_argument("new", type=Path, metavar="NEW")
    parser.add_argument("--alpha", type=float, default=0.01, help="largest p of a change (0.01)")
    parser.add_argument(
        "--threshold",
        type=float,
        default=0.02,
        help="relative changes up to this are ignored (0.02)",
    )
    return parser.parse_args()


def main() -> int:
    arguments = parse_arguments()
    try:
        old, new = read_rows(arguments.old), read_rows(arguments.new)
    except ResultError as error:
        print(f"compare: {error}", file=sys.stderr)
        return NOT_JUDGED
    names = [name for name in old if name in new]
    for where, missing in (("NEW", set(old) - set(new)), ("OLD", set(new) - set(old))):
        if missing:
            first = ", ".join(sorted(missing)[:3]) + (", ..." if len(missing) > 3 else "")
            print(f"{len(missing)} rows are not in {where}: {first}", file=sys.stderr)
    if not names:
        print("compare: no row has the same name in OLD and NEW", file=sys.stderr)
        return NOT_JUDGED
    warn_of_machines(old, new)
    verdicts = [judge(old[name], new[name], arguments.alpha, arguments.threshold) for name in names]
    print_verdicts(verdicts)
    judged = [one for one in verdicts if one.p is not None]
    slower = [one for one in judged if one.word == "slower"]
    faster = [one for one in judged if one.word == "faster"]
    by_chance = len(judged) * arguments.alpha / 2
    print(
        f"{len(judged)} of {len(verdicts)} rows judged: {len(slower)} slower, {len(faster)} "
        f"faster; chance alone makes at most {by_chance:.2g} look slower"
    )
    if not judged:
        print(
            f"compare: too few repetitions for p < {arguments.alpha:g}: measure with "
            "--benchmark_repetitions=5 or more",
            file=sys.stderr,
        )
        return NOT_JUDGED
    return SLOWER if slower else 0


if __name__ == "__main__":
    sys.exit(main())
