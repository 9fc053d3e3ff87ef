#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What every rung of every ladder moves: runs simt_bench and keeps its counts.

Writes benchmarks/results/simt/ladders.json; benchmarks/render.py makes a table of it. With --check
nothing is run nor written: a rung that the file lacks, or one that is no more, ends the script with 8.
"""

import argparse
import json
import sys
from pathlib import Path

import context
from kept_rows import LEFT_OUT, keep, measure, run

KEPT = context.REPOSITORY / "benchmarks" / "results" / "simt" / "ladders.json"
PROGRAM = context.REPOSITORY / "build" / "release" / "bin" / "simt_bench"
# Small: a thread takes microseconds there. Pictures are kept in float whatever maps are.
AXES = ("--shape=16x16x64", "--dtype=bf16,fp32,tf32")
OUT_OF_DATE = 8
# The host-SIMT machine's times say nothing.
TIMES = ("repetition_index", "iterations", "real_time", "time_unit")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("program", nargs="?", type=Path, default=PROGRAM, help="simt_bench")
    parser.add_argument("--check", action="store_true", help="only say whether the counts are kept")
    arguments = parser.parse_args()
    if arguments.check:
        kept = {row["name"] for row in json.loads(KEPT.read_text(encoding="utf-8"))["benchmarks"]}
        changed = sorted(kept ^ set(run(arguments.program, *AXES, "--benchmark_list_tests").split()))
        if changed:
            print(f"{KEPT.name} is out of date: {', '.join(changed)}", file=sys.stderr)
        return OUT_OF_DATE if changed else 0
    counted = measure(arguments.program, *AXES, left_out=(*LEFT_OUT, *TIMES))
    about = {"executable": "simt_bench", "device": "the host-SIMT machine"}
    keep(KEPT, about, counted["benchmarks"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
