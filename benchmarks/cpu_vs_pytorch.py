#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""One iteration on the CPU, Impasto and PyTorch side by side.

Both optimise the same pictures with the same weights and the preset `coursera`, in processes of
their own with the same number of threads. First every contender's losses are compared with
Impasto's in fp32 (peers/agreement.py), and a difference beyond its limits ends the script with 8
before anything is timed.
Then they take turns, round after round, so that whatever else the machine does meets all of them;
each time is a median over all rounds. PyTorch runs in every form given here that could be its
fastest. In the same rounds the convolutions of the iteration are timed alone, and each of its steps.

Writes benchmarks/results/<cpu>/cpu_vs_pytorch.json; benchmarks/render.py makes tables of it.
"""

import argparse
import json
import os
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Callable, Dict, List, Optional, Sequence

import context
from peers.agreement import judge
from peers.runs import (
    Inputs,
    Run,
    execute,
    make_square_inputs,
    median_seconds,
    run_impasto,
    run_peer,
)


# Where `./dev bench` installs the current PyTorch.
PEERS = context.REPOSITORY / "build" / "peers-venv" / "bin" / "python"
COMPARISON_FAILED = 8
CHECKED_ITERATIONS = 10

# What makes PyTorch faster from outside: threads that stay on their cores, and a heap that keeps
# its memory and asks for large pages. Otherwise tensors of many megabytes go back to the system
# after each operation and are zeroed by it before the next one.
TUNING = {
    "OMP_PROC_BIND": "true",
    "MALLOC_TRIM_THRESHOLD_": str(1 << 32),
    "MALLOC_MMAP_THRESHOLD_": str(1 << 32),
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}
Environment = Dict[str, str]


@dataclass
class Contender:
    """A program in one configuration, and what its runs have shown."""

    program: str
    precision: str
    form: str
    run: Callable[[int, Environment], Run]
    tuning: Environment = field(default_factory=dict)
    difference: float = 0.0
    peak_memory_bytes: int = 0  # without the tuning, which costs memory
    runs: List[Run] = field(default_factory=list)

    @property
    def name(self) -> str:
        return " ".join(filter(None, (self.program, self.precision, self.form)))

    def result(self, warm_up: int) -> Dict[str, Any]:
        return {
            "program": self.program,
            "form": self.form,
            "precision": self.precision,
            "seconds_per_iteration": median_seconds(self.runs, warm_up),
            "peak_memory_bytes": self.peak_memory_bytes,
            "largest_loss_difference": self.difference,
            "about": self.runs[0].about,
        }


def cpu_precisions(impasto: str) -> List[str]:
    backends = json.loads(execute([impasto, "devices", "--json"]))
    return next(entry["precisions"] for entry in backends if entry["name"] == "cpu")


def impasto_contender(arguments: argparse.Namespace, inputs: Inputs, precision: str) -> Contender:
    def run(iterations: int, _: Environment) -> Run:
        return run_impasto(arguments.impasto, inputs, iterations, arguments.threads, precision)

    return Contender("Impasto", precision, "", run)


def pytorch_contenders(
    arguments: argparse.Namespace, inputs: Inputs, python: str, precisions: Sequence[str]
) -> List[Contender]:
    version = execute([python, "-c", "import torch; print(torch.__version__)"]).strip()

    def contender(precision: str, form: str, options: Sequence[str]) -> Contender:
        def run(iterations: int, variables: Environment) -> Run:
            return run_peer(python, inputs, iterations, arguments.threads, options, variables)

        return Contender(f"PyTorch {version}", precision, form, run, TUNING)

    forms = {"NCHW": [], "NHWC": ["--channels-last"]}
    if arguments.compile and int(version.split(".")[0]) >= 2:
        forms["NHWC, compiled"] = ["--channels-last", "--compile"]
    return [
        contender(precision, form, ["--precision", precision, *options])
        for precision in precisions
        for form, options in forms.items()
    ]


CONVOLUTIONS = {
    "first_conv_forward": "forward",
    "conv_forward": "forward",
    "first_conv_backward": "gradient",
    "conv_data_gradient": "gradient",
}


def benchmark_program(arguments: argparse.Namespace, name: str, *options: str) -> List[Any]:
    """The measurements of one of our Google Benchmark programs."""
    program = Path(arguments.impasto).with_name(name)
    command = [str(program), *options, "--benchmark_format=json", "--benchmark_min_time=0.2"]
    output = execute(command, {"OMP_NUM_THREADS": str(arguments.threads)})
    return json.loads(output)["benchmarks"]


def convolutions_alone(arguments: argparse.Namespace) -> List[Any]:
    """Named "forward/fp32/conv1_1" or "gradient/fp32/conv1_1"."""
    rows = benchmark_program(arguments, "op_bench", "--backend=cpu", f"--shape={arguments.size}",
                             f"--op={','.join(CONVOLUTIONS)}")  # fmt: skip
    for row in rows:
        op, _, shape, precision = row["name"].split("/")[:4]
        row["name"] = f"{CONVOLUTIONS[op]}/{precision}/{shape.split('@')[0]}"
    return rows


class Series:
    """Measurements of many benchmarks, gathered round by round."""

    def __init__(self) -> None:
        self.measured: Dict[str, List[Dict[str, float]]] = {}

    def add(self, benchmarks: Sequence[Dict[str, Any]]) -> None:
        for benchmark in benchmarks:
            if not benchmark.get("error_occurred"):
                self.measured.setdefault(benchmark["name"], []).append(benchmark)

    def medians(self, counter: str, scale: float = 1.0) -> Dict[str, float]:
        """By name without the timer's suffix. Google Benchmark reports milliseconds here."""
        return {
            name.replace("/real_time", "").replace("/iterations:1/manual_time", ""): scale
            * median(measurement[counter] for measurement in measurements)
            for name, measurements in self.measured.items()
            if counter in measurements[0]
        }


def check(contenders: Sequence[Contender]) -> bool:
    """Compares everyone's losses with the first contender's, and notes everyone's memory."""
    agree = True
    reference: Optional[Run] = None
    for contender in contenders:
        run = contender.run(CHECKED_ITERATIONS, {})
        contender.peak_memory_bytes = run.peak_memory_bytes
        reference = reference or run
        agrees, differences, sentence = judge(reference.records, run.records, contender.precision)
        contender.difference = differences["loss of all pictures"]
        agree = agree and agrees
        print(f"{contender.name}: {sentence}", file=sys.stderr)
    return agree


def measure(arguments: argparse.Namespace, contenders: Sequence[Contender]) -> Dict[str, Any]:
    convolutions, steps, ceilings = Series(), Series(), Series()
    for number in range(arguments.rounds):
        for contender in contenders:
            run = contender.run(arguments.iterations, contender.tuning)
            contender.runs.append(run)
            seconds = median(run.seconds_per_iteration(arguments.warm_up))
            print(f"round {number + 1}: {contender.name}: {seconds:.3f} s", file=sys.stderr)
        convolutions.add(convolutions_alone(arguments))
        steps.add(benchmark_program(arguments, "iteration_bench", "--backend=cpu",
                                    f"--size={arguments.size}", "--benchmark_filter=^step/"))  # fmt: skip
        ceilings.add(benchmark_program(arguments, "ceilings_bench"))
    return {
        "contenders": [contender.result(arguments.warm_up) for contender in contenders],
        "convolution_seconds": convolutions.medians("real_time", 1e-3),
        "step_seconds": steps.medians("real_time", 1e-3),
        "step_flops": steps.medians("flops"),
        "step_bytes": steps.medians("bytes"),
        "flops": ceilings.medians("FLOP/s"),
        "bytes_per_second": ceilings.medians("bytes/s"),
    }


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
        if not check(contenders):
            return COMPARISON_FAILED
        result = {
            "context": about,
            "size": arguments.size,
            "threads": arguments.threads,
            "pytorch_tuning": TUNING,
            **measure(arguments, contenders),
        }
    output = arguments.output or context.result_path("cpu_vs_pytorch.json")
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
