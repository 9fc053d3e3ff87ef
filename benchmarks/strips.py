#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How much faster a picture is on several devices together than on one.

usage: benchmarks/strips.py build/cuda/bin/impasto [--sizes 2048,4096] [--devices 0,1,2,3] [--rounds 3] [OPTION ...]

The sample picture in the sample's style, of one scale and on the built-in network, on the first device, the first two,
the first four and so on; more options go to all. They take turns, and the time is that of iterations behind the first
two. The efficiency is what benchmarks/strips_model.py predicts. Needs a quiet machine.
"""

import tempfile
from functools import partial
from statistics import median

import context
from peers.runs import in_turns
from tiles import seconds_per_pixel


def counts(devices):
    """1, 2, 4 and so on, and all."""
    count = 1
    while count < devices:
        yield count
        count *= 2
    yield devices


def main():
    parser = context.parser(__doc__)
    parser.add_argument("program")
    parser.add_argument("--sizes", default="2048,4096")
    parser.add_argument("--devices", default="0,1")
    parser.add_argument("--rounds", type=int, default=3)
    options, more = parser.parse_known_args()
    devices = options.devices.split(",")
    for size in map(int, options.sizes.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            found = in_turns(options.rounds, {
                count: partial(seconds_per_pixel, options.program, folder, size,
                               ["--iterations", "12", "--device", ",".join(devices[:count]), *more])
                for count in counts(len(devices))})  # fmt: skip
        for count, seconds in found.items():
            together = median(seconds)
            print(f"{size}², {count} of {options.devices}: {1e9 * together:.3f} ns a pixel and iteration, efficiency "
                  f"{median(found[1]) / together / count:.0%}")  # fmt: skip


if __name__ == "__main__":
    main()
