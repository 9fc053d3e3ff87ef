#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""One iteration on the CPU, Impasto and PyTorch side by side.

Both optimise the same pictures with the same weights and the preset `coursera`, in processes of
their own with the same number of threads. First every contender's losses are compared with
Impasto's in fp32 (peers/agreement.py); a difference beyond its limits ends the script with 8
before anything is timed.
Then they take turns, round after round, so that whatever else the machine does meets all of them;
each time is a median over all rounds. PyTorch runs in every form given here that could be its
fastest. In the same rounds each step of the iteration is timed, and what the machine can do at most.

Writes benchmarks/results/<cpu>/cpu_vs_pytorch.json; benchmarks/render.py makes tables of it.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Callable, List, Sequence, Tuple

import context
from kept_rows import Rows, keep, measure
from peers.runs import (
    CHECKED_ITERATIONS,
    Contender,
    Inputs,
    Run,
    execute,
    make_square_inputs,
    run_impasto,
    run_peer,
)

# Where `./dev bench` installs the current PyTorch.
PEERS = context.REPOSITORY / "build" / "peers-venv" / "bin" / "python"
COMPARISON_FAILED = 8
# A contender, and how it runs so many iterations, tuned or as it comes.
Runnable = Tuple[Contender, Callable[[int, bool], Run]]

# What makes PyTorch faster from outside: threads that stay on their cores, and a heap that keeps
# its memory and asks for large pages. Otherwise tensors of many megabytes go back to the system
# after each operation and are zeroed by it before the next one.
TUNING = {
    "OMP_PROC_BIND": "true",
    "MALLOC_TRIM_THRESHOLD_": str(1 << 32),
    "MALLOC_MMAP_THRESHOLD_": str(1 << 32),
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}


def cpu_precisions(impasto: str) -> List[str]:
    backends = json.loads(execute([impasto, "devices", "--json"]))
    return next(entry["precisions"] for entry in backends if entry["name"] == "cpu")


def impasto_contender(arguments: argparse.Namespace, inputs: Inputs, precision: str) -> Runnable:
    def run(iterations: int, _tuned: bool) -> Run:
        return run_impasto(arguments.impasto, inputs, iterations, arguments.threads, precision)

    return Contender("Impasto", "", precision), run


def pytorch_contenders(
    arguments: argparse.Namespace, inputs: Inputs, python: str, precisions: Sequence[str]
) -> List[Runnable]:
    version = execute([python, "-c", "import torch; print(torch.__version__)"]).strip()

    def contender(precision: str, form: str, *options: str) -> Runnable:
        def run(iterations: int, tuned: bool) -> Run:
            variables = TUNING if tuned else {}
            return run_peer(python, inputs, iterations, arguments.threads,
                            ["--precision", precision, *options], variables)  # fmt: skip

        return Contender(f"PyTorch {version}", form, precision), run

    found = []
    for precision in precisions:
        found += [contender(precision, "NCHW"), contender(precision, "NHWC", "--channels-last")]
        if arguments.compile and int(version.split(".")[0]) >= 2:
            found.append(contender(precision, "NHWC, compiled", "--channels-last", "--compile"))
    return found


def own_rows(arguments: argparse.Namespace) -> Rows:
    """The steps of Impasto's iteration, and the ceilings."""
    programs = Path(arguments.impasto).parent
    steps = measure(programs / "iteration_bench", "--backend=cpu", f"--size={arguments.size}",
                    "--benchmark_filter=^step/", threads=arguments.threads)  # fmt: skip
    ceilings = measure(programs / "ceilings_bench", threads=arguments.threads)
    return steps["benchmarks"] + ceilings["benchmarks"]


def all_agree(contenders: Sequence[Runnable]) -> bool:
    """Compares everyone's losses with the first contender's. PyTorch's memory is that without the tuning, which
    costs memory."""
    reference = None
    agree = True
    for contender, run in contenders:
        found = run(CHECKED_ITERATIONS, False)
        reference = reference or found
        agree = contender.compare(reference, found) and agree
        print(f"{contender.name}: {contender.found['judgement']}", file=sys.stderr)
    return agree


def measure_rounds(arguments: argparse.Namespace, contenders: Sequence[Runnable]) -> Rows:
    rows: Rows = []
    for number in range(arguments.rounds):
        for contender, run in contenders:
            seconds = run(arguments.iterations, True).seconds_per_iteration(arguments.warm_up)
            contender.seconds += seconds
            print(f"round {number + 1}: {contender.name}: {median(seconds):.3f} s", file=sys.stderr)
        rows += own_rows(arguments)
    return rows


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--impasto", default="build/release/bin/impasto", help="the program")
    parser.add_argument(
        "--python",
        action="append",
        help="one that has torch, h5py and PIL; may be repeated (default: that of build/peers-venv)",
    )
    parser.add_argument("--size", type=int, default=256, help="side of the square pictures")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--iterations", type=int, default=8, help="in each round")
    parser.add_argument("--warm-up", type=int, default=2, help="of them not timed")
    parser.add_argument("--compile", action="store_true", help="also PyTorch 2's torch.compile")
    parser.add_argument("--output", type=Path, help="(default: benchmarks/results/<cpu>/...)")
    return parser.parse_args()


def main() -> int:
    arguments = parse_arguments()
    about = context.describe()
    with tempfile.TemporaryDirectory() as folder:
        pythons = arguments.python or [str(PEERS)]
        inputs = make_square_inputs(arguments.impasto, pythons[0], Path(folder), arguments.size)
        precisions = cpu_precisions(arguments.impasto)
        contenders = [impasto_contender(arguments, inputs, name) for name in precisions]
        for python in pythons:
            contenders += pytorch_contenders(arguments, inputs, python, precisions)
        if not all_agree(contenders):
            return COMPARISON_FAILED
        rows = measure_rounds(arguments, contenders)
    results = [contender.result() for contender, _ in contenders]
    about["device"] = results[0]["about"]["backend"]["device"]
    output = arguments.output or context.result_path("cpu_vs_pytorch.json")
    keep(output, about, rows, size=arguments.size, pytorch_tuning=TUNING, contenders=results)
    print(output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
