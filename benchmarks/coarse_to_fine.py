#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How much sooner coarse to fine is as good as one scale.

    benchmarks/coarse_to_fine.py --weights vgg16.h5 --preset trained

For each photograph and style: the preset with one scale, for --iterations at the full size; then the preset
with its scales, until its loss at the full size is that of the other's end or smaller. Prints a table in
Markdown of CPU seconds, targets and the reading of files included, and ends with 8 where a pair took half the
time or more.
"""
import tempfile
from pathlib import Path

import context
from peers.runs import cpu_seconds, stylize

TOO_SLOW = 8


def run(program, photograph, style, options):
    """The losses at the finest scale, iteration by iteration, with the share of the run's time; CPU seconds."""
    with tempfile.TemporaryDirectory() as folder:
        before = cpu_seconds()
        command = [str(program), "stylize", photograph, style, "-o", f"{folder}/result.png", *options]
        steps = stylize(command, Path(folder) / "run.jsonl").records
        seconds = cpu_seconds() - before
    finest = [step for step in steps if step["size"] == steps[-1]["size"]]
    return [(step["loss"], step["seconds"] / steps[-1]["seconds"]) for step in finest], seconds


def main():
    parser = context.parser(__doc__)
    parser.add_argument("--program", default=context.REPOSITORY / "build/release/bin/impasto")
    parser.add_argument("--photographs", nargs="+", default=["sample:scene"])
    parser.add_argument("--styles", nargs="+", default=["sample:painting"])
    parser.add_argument("--weights", required=True)
    parser.add_argument("--preset", default="trained")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--iterations", type=int, default=100, help="of the single scale")
    parser.add_argument("--precision", default="auto")
    arguments = parser.parse_args()

    common = ["--weights", arguments.weights, "--preset", arguments.preset, "--size", str(arguments.size),
              "--precision", arguments.precision]
    print("| photograph | style | loss at the end of one scale | CPU s | coarse to fine reaches it after | share |")
    print("|---|---|--:|--:|--:|--:|")
    slow = False
    for photograph in arguments.photographs:
        for style in arguments.styles:
            single, whole = run(arguments.program, photograph, style,
                                [*common, "--scales", "1", "--iterations", str(arguments.iterations)])
            goal = single[-1][0]
            fine, seconds = run(arguments.program, photograph, style, common)
            reached = next((share * seconds for loss, share in fine if loss <= goal), None)
            slow = slow or reached is None or reached >= whole / 2
            said = f"{reached:.1f} | {reached / whole:.2f}" if reached is not None else "never | –"
            print(f"| {Path(photograph).stem} | {Path(style).stem} | {goal:.4g} | {whole:.1f} | {said} |", flush=True)
    raise SystemExit(TOO_SLOW if slow else 0)


if __name__ == "__main__":
    main()
