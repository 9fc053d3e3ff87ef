#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every operation alone, and iterations by size and batch, on this machine's CPU.

Writes op_bench.json and iteration_bench.json into benchmarks/results/<cpu>/. Repetitions of all rows
are interleaved at random, so that a neighbour's load does not fall on one row.
"""

import argparse
import sys
from pathlib import Path

import context
from kept_rows import keep, measure

PROGRAMS = context.REPOSITORY / "build" / "release" / "bin"
INTERLEAVED = ("--backend=cpu", "--benchmark_enable_random_interleaving=true")
ITERATIONS = ("--benchmark_filter=^iteration/", "--benchmark_min_time=0.3")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--programs", type=Path, default=PROGRAMS, help="the folder they are in")
    parser.add_argument("--output", type=Path, help="(default: benchmarks/results/<cpu>)")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--sizes", default="128,192,256,384", help="of single pictures")
    parser.add_argument("--batches", default="2,4", help="of the smallest of these")
    parser.add_argument("--size", type=int, default=256, help="of the operations' picture")
    arguments = parser.parse_args()
    folder = arguments.output or context.result_path("op_bench.json").parent
    options = (*INTERLEAVED, f"--benchmark_repetitions={arguments.repetitions}")

    program = arguments.programs / "iteration_bench"
    sizes = measure(program, *options, *ITERATIONS, f"--size={arguments.sizes}")
    smallest = min(arguments.sizes.split(","), key=int)
    of_batches = (f"--size={smallest}", f"--batch={arguments.batches}")
    batches = measure(program, *options, *ITERATIONS, *of_batches)
    rows = sizes["benchmarks"] + batches["benchmarks"]
    keep(folder / "iteration_bench.json", sizes["context"], rows)

    program = arguments.programs / "op_bench"
    short = ("--benchmark_min_time=0.05", f"--shape={arguments.size}")
    operations = measure(program, *options, *short)
    keep(folder / "op_bench.json", operations["context"], operations["benchmarks"])
    print(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
