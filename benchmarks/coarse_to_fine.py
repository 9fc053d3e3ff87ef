#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How much sooner coarse to fine is as good as one scale.

    benchmarks/coarse_to_fine.py --weights vgg16.h5 --preset trained

For each photograph and style: the preset with one scale, for --iterations at the full size; then the preset
with its scales, until its loss at the full size is that of the other's end or smaller. Prints a table in
Markdown of CPU seconds, targets and the reading of files included, and ends with 8 where a pair took half the
time or more.
"""
import argparse
import json
import subprocess
import tempfile
from pathlib import Path

from peers.runs import cpu_seconds

ROOT = Path(__file__).resolve().parent.parent
TOO_SLOW = 8


def run(program, photograph, style, options):
    """The losses at the finest scale, iteration by iteration, with the share of the run's time; CPU seconds."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "run.jsonl"
        before = cpu_seconds()
        subprocess.run([program, "stylize", photograph, style, "-o", Path(folder) / "result.png", "--log", log,
                        "--quiet", *options], check=True)
        seconds = cpu_seconds() - before
        records = [json.loads(line) for line in log.read_text().splitlines()]
    steps = [record for record in records if record["event"] == "iteration"]
    finest = [step for step in steps if step["size"] == steps[-1]["size"]]
    return [(step["loss"], step["seconds"] / steps[-1]["seconds"]) for step in finest], seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=ROOT / "build/release/bin/impasto")
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
