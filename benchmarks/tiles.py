#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How much longer a pixel takes in a large picture in tiles than in a small one without.

usage: benchmarks/tiles.py build/release/bin/impasto [--size 4096] [--memory 8G] [--rounds 3] [OPTION ...]

Both are the sample picture in the sample's style, of one scale and on the built-in network; more options go to both.
They take turns, and the time is that of iterations behind the first two. Needs a quiet machine.
"""

import tempfile
from functools import partial
from pathlib import Path
from statistics import median

import context
from peers.runs import in_turns, stylize


def seconds_per_pixel(program, folder, size, options):
    """The time between the second iteration and the last, for each iteration and pixel."""
    command = [program, "stylize", "sample:scene", "sample:painting", "-o", f"{folder}/out.png", "--size", str(size)]
    run = stylize([*command, "--scales", "1", *options], Path(folder) / "run.jsonl")
    second, *_, last, _ = run.records[1:]  # the losses of the last picture are computed without a step
    iterations = last["iteration"] - second["iteration"]
    return (last["seconds"] - second["seconds"]) / iterations / (run.about["height"] * run.about["width"])


def main():
    parser = context.parser(__doc__)
    parser.add_argument("program")
    parser.add_argument("--size", type=int, default=4096)
    parser.add_argument("--small", type=int, default=512)
    parser.add_argument("--memory", default="8G")
    parser.add_argument("--rounds", type=int, default=3)
    options, more = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as folder:
        time = partial(seconds_per_pixel, options.program, folder)
        in_tiles = ["--iterations", "4", "--memory", options.memory, *more]
        found = in_turns(options.rounds, {options.small: partial(time, options.small, ["--iterations", "12", *more]),
                                          options.size: partial(time, options.size, in_tiles)})  # fmt: skip
    small, large = (median(seconds) for seconds in found.values())
    for size, seconds in ((options.small, small), (options.size, large)):
        print(f"{size}²: {1e6 * seconds:.3f} µs a pixel and iteration")
    print(f"ratio {large / small:.2f}")


if __name__ == "__main__":
    main()
