#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How much longer a pixel takes in a large picture in tiles than in a small one without.

usage: benchmarks/tiles.py build/release/bin/impasto [--size 4096] [--memory 8G] [--rounds 3] [OPTION ...]

Both are the sample picture in the sample's style, of one scale and on the built-in network; more options go to both. They take turns, and the time
is that of iterations behind the first two. Needs a quiet machine.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
from pathlib import Path


def seconds_per_pixel(program, folder, size, options):
    """The time between the second iteration and the last, for each iteration and pixel."""
    log = folder / "run.jsonl"
    subprocess.run([program, "stylize", "sample:scene", "sample:painting", "-o", folder / "out.png", "--size", str(size),
                    "--scales", "1", "--log", log, "--quiet", *options], check=True)
    records = [json.loads(line) for line in log.read_text().splitlines()]
    pixels = records[0]["height"] * records[0]["width"]
    at = {record["iteration"]: record["seconds"] for record in records if record["event"] == "iteration"}
    last = max(at) - 1  # the losses of the last picture are computed without a step
    return (at[last] - at[1]) / (last - 1) / pixels


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--size", type=int, default=4096)
    parser.add_argument("--small", type=int, default=512)
    parser.add_argument("--memory", default="8G")
    parser.add_argument("--rounds", type=int, default=3)
    options, more = parser.parse_known_args()
    small, large = [], []
    with tempfile.TemporaryDirectory() as name:
        for _ in range(options.rounds):
            folder = Path(name)
            small.append(seconds_per_pixel(options.program, folder, options.small, ["--iterations", "12", *more]))
            large.append(seconds_per_pixel(options.program, folder, options.size,
                                           ["--iterations", "4", "--memory", options.memory, *more]))
    for size, seconds in ((options.small, small), (options.size, large)):
        print(f"{size}²: {1e6 * statistics.median(seconds):.3f} µs a pixel and iteration")
    print(f"ratio {statistics.median(large) / statistics.median(small):.2f}")


if __name__ == "__main__":
    main()
