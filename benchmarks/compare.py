#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Two files of measurements beside each other, by Google Benchmark's own compare.py.

Says first what else differs between them than the program: a difference of device, load or clock is no
difference of code. Files of different devices, or measured under different load, are compared only with
--anyway.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List

import context
from results import ResultError, device_name, load_before, read_json

GOOGLE_S = "/usr/share/benchmark/compare.py"
LOAD_APART = 0.5  # of a core, for each of them
CLOCK_APART = 1.05
REFUSED = 8


def load(about: Dict[str, Any]) -> float:
    """The load before the measurement for each core: 1 is a machine that has no core to spare."""
    cores = about.get("num_cpus") or (about.get("cpu") or {}).get("cores") or 1
    return (load_before(about) or 0.0) / float(cores)


def objections(old: Dict[str, Any], new: Dict[str, Any]) -> List[str]:
    """Why times of the two cannot be compared."""
    found = []
    if device_name(old) != device_name(new):
        found.append(f"other devices: {device_name(old)} and {device_name(new)}")
    if abs(load(old) - load(new)) > LOAD_APART:
        found.append(f"other load on each core before: {load(old):.1f} and {load(new):.1f}")
    clocks = [float(about.get("mhz_per_cpu", 0)) for about in (old, new)]
    if max(clocks) > CLOCK_APART * min(clocks) > 0:
        found.append(f"other clocks: {clocks[0]:.0f} and {clocks[1]:.0f} MHz")
    return found


def main() -> int:
    parser = context.parser(__doc__, prog="./dev compare")
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--anyway", action="store_true", help="compare what was not measured alike")
    arguments, rest = parser.parse_known_args()
    try:
        contexts = [read_json(path)["context"] for path in (arguments.old, arguments.new)]
    except ResultError as error:
        parser.error(str(error))
    found = objections(*contexts)
    for sentence in found:
        print(f"not measured alike: {sentence}", file=sys.stderr)
    if found and not arguments.anyway:
        return REFUSED
    command = ["/usr/bin/python3", GOOGLE_S, "-a", *rest, "benchmarks", str(arguments.old), str(arguments.new)]
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
