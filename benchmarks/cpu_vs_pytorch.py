#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""One iteration on the CPU, Impasto and PyTorch side by side.

Both optimise the same pictures with the same weights and the preset `coursera`, in processes of
their own with the same number of threads. First every contender's losses are compared with
Impasto's in fp32 (peers/agreement.py); a difference beyond its limits ends the script with 8
before anything is timed.
Then they take turns, round after round, so that whatever else the machine does meets all of them;
each time is a median over all rounds. PyTorch runs in every form given here that could be its
fastest. In the same rounds our own programs time every operation, the iteration's steps, iterations by
size and batch, and what the machine can do at most.

Writes cpu_vs_pytorch.json, and what each program measured, into benchmarks/results/<cpu>/;
benchmarks/render.py makes tables of it.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any, Callable, Dict, List, Sequence, Tuple

import context
from context import keep, measure
from peers.runs import (CHECKED_ITERATIONS, Contender, Inputs, Run, execute, make_square_inputs, precisions_of,
                        run_impasto, run_peer)  # fmt: skip

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


def contenders_of(arguments: argparse.Namespace, inputs: Inputs, pythons: Sequence[str]) -> List[Runnable]:
    """Impasto in each precision of the CPU, its default first, and each PyTorch in those it has and in each form."""
    impasto, threads = arguments.impasto, arguments.threads
    precisions = precisions_of(impasto, "cpu")

    def ours(precision: str) -> Runnable:
        contender = Contender("Impasto", "", precision)
        return contender, lambda iterations, _tuned: run_impasto(impasto, inputs, iterations, threads, precision)

    def theirs(python: str, version: str, precision: str, form: str, *options: str) -> Runnable:
        options = ("--precision", precision, *options)
        return Contender(f"PyTorch {version}", form, precision), lambda iterations, tuned: run_peer(
            python, inputs, iterations, threads, options, TUNING if tuned else {})  # fmt: skip

    found = [ours(precision) for precision in precisions]
    for python in pythons:
        version = execute([python, "-c", "import torch; print(torch.__version__)"]).strip()
        forms = [("NCHW",), ("NHWC", "--channels-last")]
        if arguments.compile and int(version.split(".")[0]) >= 2:
            forms.append(("NHWC, compiled", "--channels-last", "--compile"))
        for precision in (name for name in precisions if name != "winograd"):
            found += [theirs(python, version, precision, *form) for form in forms]
    return found


def add_own_rows(kept: Dict[str, Dict[str, Any]], arguments: argparse.Namespace) -> None:
    """What our own programs measure in a round, by program: every operation and the steps of the iteration, the
    iteration by size and batch, the ceilings."""
    programs = Path(arguments.impasto).parent
    smallest = min(arguments.sizes.split(","), key=int)
    on_cpu, whole = "--backend=cpu", ("--benchmark_filter=^iteration/", "--benchmark_min_time=0.3")
    for name, *options in (
        ("op_bench", on_cpu, f"--shape={arguments.size}", "--benchmark_min_time=0.05"),
        ("iteration_bench", on_cpu, f"--size={arguments.size}", "--benchmark_filter=^step/"),
        ("iteration_bench", on_cpu, f"--size={arguments.sizes}", *whole),
        ("iteration_bench", on_cpu, f"--size={smallest}", f"--batch={arguments.batches}", *whole),
        ("ceilings_bench",),
    ):
        found = measure(programs / name, *options, threads=arguments.threads)
        kept.setdefault(name, {**found, "benchmarks": []})["benchmarks"] += found["benchmarks"]


def all_agree(contenders: Sequence[Runnable]) -> bool:
    """Compares everyone's losses with Impasto's in fp32. PyTorch's memory is that without the tuning, which costs
    memory."""
    reference = None
    agree = True
    for contender, run in sorted(contenders, key=lambda one: one[0].name != "Impasto fp32"):
        found = run(CHECKED_ITERATIONS, False)
        reference = reference or found
        agree = contender.compare(reference, found) and agree
        print(f"{contender.name}: {contender.found['judgement']}", file=sys.stderr)
    return agree


def parse_arguments() -> argparse.Namespace:
    parser = context.parser(__doc__)
    parser.add_argument("--impasto", default="build/release/bin/impasto", help="the program")
    parser.add_argument("--python", action="append",
                        help="one that has torch, h5py and PIL; may be repeated (default: that of build/peers-venv)")
    parser.add_argument("--size", type=int, default=256, help="side of the square pictures")
    parser.add_argument("--sizes", default="128,192,256,384", help="of Impasto's iterations alone")
    parser.add_argument("--batches", default="2,4", help="of the smallest of these")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--iterations", type=int, default=8, help="in each round")
    parser.add_argument("--warm-up", type=int, default=2, help="of them not timed")
    parser.add_argument("--compile", action="store_true", help="also PyTorch 2's torch.compile")
    parser.add_argument("--output", type=Path, help="a folder (default: benchmarks/results/<cpu>)")
    return parser.parse_args()


def main() -> int:
    arguments = parse_arguments()
    about = context.describe()
    kept: Dict[str, Dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        pythons = arguments.python or [str(PEERS)]
        inputs = make_square_inputs(arguments.impasto, pythons[0], Path(folder), arguments.size)
        contenders = contenders_of(arguments, inputs, pythons)
        if not all_agree(contenders):
            return COMPARISON_FAILED
        for number in range(arguments.rounds):
            for contender, run in contenders:
                seconds = run(arguments.iterations, True).seconds_per_iteration(arguments.warm_up)
                contender.seconds += seconds
                print(f"round {number + 1}: {contender.name}: {median(seconds):.3f} s", file=sys.stderr)
            add_own_rows(kept, arguments)
    results = [contender.result() for contender, _ in contenders]
    about["device"] = results[0]["about"]["backend"]["device"]
    output = arguments.output or context.results_folder(about["cpu"]["name"])
    for name, document in kept.items():
        keep(output / f"{name}.json", **document)
    keep(output / "cpu_vs_pytorch.json", about, [], size=arguments.size, pytorch_tuning=TUNING, contenders=results)
    print(output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
