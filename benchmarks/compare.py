#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Two files of measurements beside each other, by Google Benchmark's own compare.py.

Says first what else differs between them than the program: a difference of device, load, clock or of what
held the clock is no difference of code. Such files are compared only with --anyway.
"""

import subprocess
import sys
from pathlib import Path
from statistics import mean
from typing import List, Optional

import context
from results import Document, ResultError, device_name, load_before, read_json

GOOGLE_S = "/usr/share/benchmark/compare.py"
CORES_APART = 0.5  # as a share of all cores: the load before
OTHERS_APART, MOST_OTHERS = 0.1, 0.25  # the same: what other programs used while rows were measured
CLOCK_APART = 1.05
REFUSED = 8


def cores(about: Document) -> float:
    return float(about.get("num_cpus") or (about.get("cpu") or {}).get("cores") or 1)


def mean_of(document: Document, counter: str) -> Optional[float]:
    """Over the rows of a file; nothing where no row has it."""
    values = [float(row[counter]) for row in document.get("benchmarks", []) if counter in row
              and row.get("run_type") != "aggregate"]  # fmt: skip
    return mean(values) if values else None


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
    others = [mean_of(one, "other_cores") for one in both]
    if None not in others:
        shares = [(used or 0.0) / cores(about) for used, about in zip(others, abouts)]
        if abs(shares[0] - shares[1]) > OTHERS_APART or max(shares) > MOST_OTHERS:
            found.append(f"other programs used {shares[0]:.0%} and {shares[1]:.0%} of the cores meanwhile")
    for unit, clocks in (("MHz", [about.get("mhz_per_cpu") for about in abouts]),
                         ("MHz of the GPU's multiprocessors", [mean_of(one, "sm_mhz") for one in both])):  # fmt: skip
        known = [float(clock) for clock in clocks if clock]
        if len(known) == 2 and max(known) > CLOCK_APART * min(known):
            found.append(f"other clocks: {known[0]:.0f} and {known[1]:.0f} {unit}")
    held = [" and ".join(one.get("throttled") or ["nothing"]) for one in both]
    if held[0] != held[1]:
        found.append(f"the GPU's clock was held by {held[0]} and by {held[1]}")
    return found


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
    found = objections(*documents)
    for sentence in found:
        print(f"not measured alike: {sentence}", file=sys.stderr)
    if found and not arguments.anyway:
        return REFUSED
    command = ["/usr/bin/python3", GOOGLE_S, "-a", *rest, "benchmarks", str(arguments.old), str(arguments.new)]
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
