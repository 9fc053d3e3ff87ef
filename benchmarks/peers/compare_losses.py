#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Does Impasto compute what an independent PyTorch program computes?

Optimises the built-in pictures at odd sizes with the built-in network and the preset `coursera`
in both programs and compares the loss and every part of it before each step. Exits with 8 where
they differ by more than the tolerance.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from runs import largest_difference, make_inputs, run_impasto, run_peer

COMPARISON_FAILED = 8


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--impasto", default="build/release/bin/impasto", help="the program")
    parser.add_argument("--python", default="/usr/bin/python3", help="one that has PyTorch")
    parser.add_argument("--content-size", type=int, default=127, help="longer side")
    parser.add_argument("--style-size", type=int, default=101, help="longer side")
    parser.add_argument("--iterations", type=int, default=10)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--tolerance", type=float, default=1e-4, help="relative, of every term")
    return parser.parse_args()


def main() -> int:
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory() as folder:
        inputs = make_inputs(
            arguments.impasto, Path(folder), arguments.content_size, arguments.style_size
        )
        ours = run_impasto(
            arguments.impasto, inputs, arguments.iterations, arguments.threads, arguments.precision
        )
        theirs = run_peer(
            arguments.python,
            inputs,
            arguments.iterations,
            arguments.threads,
            ["--precision", arguments.precision],
        )
    difference = largest_difference(ours, theirs)
    agree = difference.value <= arguments.tolerance
    print(
        f"{'agree' if agree else 'DIFFER'}: {len(ours.records)} pictures of "
        f"{ours.about['width']}x{ours.about['height']}, PyTorch {theirs.about['torch']}; largest "
        f"relative difference {difference.value:.2e} ({difference.where}), "
        f"allowed {arguments.tolerance:.0e}"
    )
    return 0 if agree else COMPARISON_FAILED


if __name__ == "__main__":
    sys.exit(main())
