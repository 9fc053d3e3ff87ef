#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What every rung of every ladder moves: runs simt_bench and keeps its counts.

Writes benchmarks/results/simt/ladders.json; benchmarks/render.py makes a table of it. With --check
nothing is run nor written: a rung that the file lacks, or one that is no more, ends the script with 8.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List

import context

KEPT = context.REPOSITORY / "benchmarks" / "results" / "simt" / "ladders.json"
PROGRAM = context.REPOSITORY / "build" / "release" / "bin" / "simt_bench"
# Small: a thread takes microseconds there. Pictures are kept in float whatever maps are.
AXES = ("--shape=16x16x64", "--dtype=bf16,fp32,tf32")
OUT_OF_DATE = 8
# What Google Benchmark adds; the host-SIMT machine's times say nothing.
NOT_COUNTED = ("family_index", "per_family_instance_index", "run_name", "run_type", "repetitions",
               "repetition_index", "threads", "iterations", "real_time", "cpu_time", "time_unit")  # fmt: skip


def run(program: Path, *flags: str) -> str:
    command = [str(program), *AXES, *flags]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}\n{done.stderr}")
    return done.stdout


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("program", nargs="?", type=Path, default=PROGRAM, help="simt_bench")
    parser.add_argument("--check", action="store_true", help="only say whether the counts are kept")
    arguments = parser.parse_args()
    if arguments.check:
        kept = {row["name"] for row in json.loads(KEPT.read_text(encoding="utf-8"))["benchmarks"]}
        changed = sorted(kept ^ set(run(arguments.program, "--benchmark_list_tests").split()))
        if changed:
            print(f"{KEPT.name} is out of date: {', '.join(changed)}", file=sys.stderr)
        return OUT_OF_DATE if changed else 0
    measured = json.loads(run(arguments.program, "--benchmark_format=json"))["benchmarks"]
    rows: List[Dict[str, Any]] = [
        {key: value for key, value in row.items() if key not in NOT_COUNTED} for row in measured
    ]
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    # One line for each rung, so that a difference can be read.
    lines = ",\n".join(f"  {json.dumps(row)}" for row in rows)
    about = json.dumps({"executable": "simt_bench", "device": "the host-SIMT machine"})
    KEPT.write_text(f'{{"context": {about}, "benchmarks": [\n{lines}\n]}}\n', encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
