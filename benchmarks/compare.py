#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Two files of measurements beside each other, by Google Benchmark's own compare.py.

Says first what else differs between them than the program: a difference of device, load, clock or of what
held the clock is no difference of code. Such files are compared only with --anyway, and so is a row while which
other programs ran or the clock of the GPU was another.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import mean
from typing import Collection, Dict, List

import context
from results import Document, ResultError, device_name, load_before, read_json

GOOGLE_S = "/usr/share/benchmark/compare.py"
CORES_APART = 0.5  # as a share of all cores: the load before
OTHERS_APART, MOST_OTHERS = 0.1, 0.25  # the same: what other programs used while rows were measured
CLOCK_APART = 1.05
REFUSED = 8


def cores(about: Document) -> float:
    return float(about.get("num_cpus") or (about.get("cpu") or {}).get("cores") or 1)


def row_name(row: Document) -> str:
    return str(row.get("run_name", row.get("name")))


def by_row(document: Document, counter: str) -> Dict[str, float]:
    """Of each row that has the counter its mean over the repetitions."""
    found: Dict[str, List[float]] = {}
    for row in document["benchmarks"]:
        if counter in row and row.get("run_type") != "aggregate":
            found.setdefault(row_name(row), []).append(float(row[counter]))
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


def without(document: Document, names: Collection[str]) -> Document:
    return {**document, "benchmarks": [row for row in document["benchmarks"] if row_name(row) not in names]}


def main() -> int:
    parser = context.parser(__doc__, prog="./dev compare")
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--anyway", action="store_true", help="compare what was not measured alike")
    arguments, rest = parser.parse_known_args()
    try:
        documents = [read_json(path) for path in (arguments.old, arguments.new)]
    except ResultError as error:
        parser.error(str(error))
    for path, document in zip((arguments.old, arguments.new), documents):
        if not document.get("benchmarks"):
            parser.error(f"{path}: expected rows, 'benchmarks'")
    found = objections(*documents)
    for sentence in found:
        print(f"not measured alike: {sentence}", file=sys.stderr)
    rows = disturbed(*documents)
    for name, sentence in sorted(rows.items()):
        print(f"not measured alike: {name}: {sentence}", file=sys.stderr)
    kept = documents if arguments.anyway else [without(one, rows) for one in documents]
    if (found and not arguments.anyway) or not all(one["benchmarks"] for one in kept):
        return REFUSED
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in ("old.json", "new.json")]
        for file, document in zip(files, kept):
            file.write_text(json.dumps(document), encoding="utf-8")
        command = ["/usr/bin/python3", GOOGLE_S, "-a", *rest, "benchmarks", *map(str, files)]
        return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
