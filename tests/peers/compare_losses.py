#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Does Impasto compute what an independent PyTorch program computes?

Optimises the built-in pictures at odd sizes with the built-in network and the preset `coursera` in
both programs, and compares the loss and every part of it before each step: first the reference
backend with PyTorch in double, which decides whether the mathematics is the same, then the CPU
backend with PyTorch in each precision both have. Exits with 8 where they do not agree
(benchmarks/peers/agreement.py says what that means).
"""

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

from peers.agreement import judge  # noqa: E402
from peers.runs import make_inputs, precisions_of, run_impasto, run_peer  # noqa: E402

COMPARISON_FAILED = 8


@dataclass(frozen=True)
class Comparison:
    """A backend and precision of ours, PyTorch's precision, the longer sides of the pictures."""

    backend: str
    precision: str
    peer_precision: str
    content_size: int
    style_size: int


def comparisons(impasto: str) -> Iterator[Comparison]:
    yield Comparison("reference", "fp32", "fp64", 47, 37)  # it computes in double whatever is asked
    for precision in precisions_of(impasto, "cpu"):
        yield Comparison("cpu", precision, "fp32" if precision == "winograd" else precision, 127, 101)


def agrees(arguments: argparse.Namespace, comparison: Comparison) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        inputs = make_inputs(
            arguments.impasto, Path(folder), comparison.content_size, comparison.style_size
        )
        ours = run_impasto(
            arguments.impasto,
            inputs,
            arguments.iterations,
            arguments.threads,
            comparison.precision,
            comparison.backend,
        )
        theirs = run_peer(
            arguments.python,
            inputs,
            arguments.iterations,
            arguments.threads,
            ["--precision", comparison.peer_precision],
        )
    agree, _, sentence = judge(ours.records, theirs.records, comparison.peer_precision)
    print(
        f"{comparison.backend} and PyTorch {theirs.about['torch']} in {comparison.peer_precision}, "
        f"{len(ours.records)} pictures of {ours.about['width']}x{ours.about['height']} {sentence}"
    )
    return agree


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--impasto", default="build/release/bin/impasto", help="the program")
    parser.add_argument(
        "--python", default=sys.executable, help="one that has torch, h5py and PIL"
    )
    parser.add_argument("--iterations", type=int, default=10)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def main() -> int:
    arguments = parse_arguments()
    results = [agrees(arguments, comparison) for comparison in comparisons(arguments.impasto)]
    return 0 if all(results) else COMPARISON_FAILED


if __name__ == "__main__":
    sys.exit(main())
