#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Two files of measurements beside each other: medians, their change, and whether they differ by more than their
noise, by Google Benchmark's two-sided Mann-Whitney test over the repetitions.

Says first what else differs between them than the program: a difference of device, load, clock or of what
held the clock is no difference of code. Such files are compared only with --anyway, and so is a row while which
other programs ran or the clock of the GPU was another.
"""

import sys
from pathlib import Path
from statistics import geometric_mean, mean
from typing import Dict, List, Tuple

import context
from report import time
from results import Document, ResultError, Row, device_name, foreign, gather_rows, load_before, read_json

GOOGLE_S = "/usr/share/benchmark"  # Debian's libbenchmark-tools
ENOUGH = 9  # repetitions for the test to mean much
CORES_APART = 0.5  # as a share of all cores: the load before
OTHERS_APART, MOST_OTHERS = 0.1, 0.25  # the same: what other programs used while rows were measured
CLOCK_APART = 1.05
REFUSED, NOT_WRITTEN = 8, 6


def cores(about: Document) -> float:
    return float(about.get("num_cpus") or (about.get("cpu") or {}).get("cores") or 1)


def by_row(document: Document, counter: str) -> Dict[str, float]:
    """Of each row that has the counter its mean over the repetitions."""
    found: Dict[str, List[float]] = {}
    for row in document["benchmarks"]:
        if counter in row and row.get("run_type") != "aggregate":
            found.setdefault(str(row.get("run_name", row["name"])), []).append(float(row[counter]))
    return {name: mean(values) for name, values in found.items()}


def clocks_apart(old: float, new: float) -> bool:
    return max(old, new) > CLOCK_APART * min(old, new)


def objections(old: Document, new: Document) -> List[str]:
    """Why times of the two cannot be compared."""
    both = (old, new)
    abouts = [one["context"] for one in both]
    found = []
    names = [device_name(about) for about in abouts]
    if names[0] != names[1]:
        found.append(f"other devices: {names[0]} and {names[1]}")
    loads = [(load_before(about) or 0.0) / cores(about) for about in abouts]
    if abs(loads[0] - loads[1]) > CORES_APART:
        found.append(f"other load on each core before: {loads[0]:.1f} and {loads[1]:.1f}")
    clocks = [float(about["mhz_per_cpu"]) for about in abouts if about.get("mhz_per_cpu")]
    if len(clocks) == 2 and clocks_apart(*clocks):
        found.append(f"other clocks: {clocks[0]:.0f} and {clocks[1]:.0f} MHz")
    held = [" and ".join(one.get("throttled") or ["nothing"]) for one in both]
    if held[0] != held[1]:
        found.append(f"the GPU's clock was held by {held[0]} and by {held[1]}")
    return found


def disturbed(old: Document, new: Document) -> Dict[str, str]:
    """The rows of both files that cannot be compared, and why."""
    found = {}
    others, clocks = ([by_row(one, counter) for one in (old, new)] for counter in ("other_cores", "sm_mhz"))
    for name in others[0].keys() & others[1].keys():
        shares = [used[name] / cores(one["context"]) for used, one in zip(others, (old, new))]
        if abs(shares[0] - shares[1]) > OTHERS_APART or max(shares) > MOST_OTHERS:
            found[name] = f"other programs used {shares[0]:.0%} and {shares[1]:.0%} of the cores meanwhile"
    for name in clocks[0].keys() & clocks[1].keys():
        if clocks_apart(clocks[0][name], clocks[1][name]):
            found[name] = f"{clocks[0][name]:.0f} and {clocks[1][name]:.0f} MHz of the GPU's multiprocessors"
    return found


def as_google_s(rows: List[Row]) -> Document:
    """Every repetition. Its comparison asks for the processor's time, too, which nothing here measures."""
    return {"benchmarks": [{"name": row.name, "time_unit": "s", "real_time": seconds, "cpu_time": seconds}
                           for row in rows for seconds in row.seconds_of]}  # fmt: skip


def p_values(old: List[Row], new: List[Row]) -> Dict[str, float]:
    """Of each row that has several repetitions on both sides: how often chance alone makes such a difference."""
    sys.path.append(GOOGLE_S)
    try:
        from gbench.report import get_difference_report  # only here: whoever is refused needs none
    except ImportError as error:
        sys.exit(f"{error}: expected Google Benchmark's tools in {GOOGLE_S}, numpy and scipy")
    found = get_difference_report(as_google_s(old), as_google_s(new), utest=True)
    return {one["name"]: one["utest"]["time_pvalue"] for one in found if one["utest"]}


def tables(pairs: List[Tuple[Row, Row]]) -> str:
    """Markdown, one table for each operation."""
    chances = p_values([old for old, _ in pairs], [new for _, new in pairs])
    by_op: Dict[str, List[List[str]]] = {}
    for old, new in pairs:
        chance = f"{chances[old.name]:.4f}" if old.name in chances else "–"
        cells = [time(old.seconds), time(new.seconds), f"{100 * (new.seconds / old.seconds - 1):+.1f} %", chance]
        by_op.setdefault(old.parts.op, []).append([old.name.split("/", 1)[-1], *cells])
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
    paths = (arguments.old, arguments.new)
    failed: List[str] = []
    try:
        documents = [read_json(path) for path in paths]
        rows = []
        for path, document in zip(paths, documents):
            with foreign(path):
                gathered = gather_rows(path, document["benchmarks"], failed)
                rows.append({row.name: row for row in gathered if row.seconds_of})
                disturbed(document, document)  # reads all that it compares
                objections(document, document)
    except ResultError as error:
        parser.error(str(error))
    for path, one in zip(paths, rows):
        if not one:
            parser.error(f"{path}: expected 'benchmarks' with times")
    found = objections(*documents)
    for sentence in failed:
        print(f"left out: {sentence}", file=sys.stderr)
    for sentence in found:
        print(f"not measured alike: {sentence}", file=sys.stderr)
    troubled = disturbed(*documents)
    for name, sentence in sorted(troubled.items()):
        print(f"not measured alike: {name}: {sentence}", file=sys.stderr)
    for path, own, others in ((paths[0], *rows), (paths[1], *rows[::-1])):
        alone = [name for name in own if name not in others]
        if alone:
            print(f"only in {path}: {len(alone)} of {len(own)} rows, {alone[0]} first", file=sys.stderr)
    pairs = [(old, rows[1][name]) for name, old in rows[0].items()
             if name in rows[1] and (arguments.anyway or name not in troubled)]  # fmt: skip
    if (found and not arguments.anyway) or not pairs:
        in_common = rows[0].keys() & rows[1].keys()
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
