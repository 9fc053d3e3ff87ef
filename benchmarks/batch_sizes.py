#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Pictures per second of `impasto batch` on one device, by how many it computes side by side, and how much
of the time the device computes.

Nothing is written (`-o none`). The first pictures that come together are not counted, nor what is before them:
reading the network, choosing plans. A first run of each size is for the plans alone. The losses of each size
must agree with those of the first; ends with 8 where they do not. Prints a table in Markdown.
"""

import argparse
import json
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Sequence

import context
from peers.agreement import relative_difference
from peers.runs import execute, make_inputs

COMPARISON_FAILED = 8
LOSS_LIMIT = {"fp32": 1e-4, "winograd": 1e-3, "tf32": 1e-2, "bf16": 2e-2, "fp16": 2e-2}


@dataclass
class Done:
    """A picture, and what had happened until it was done."""

    seconds: float  # since the batch began
    busy: float  # of these, while the device computed
    loss: float
    name: str
    side_by_side: int


def batch(command: Sequence[str]) -> List[Done]:
    """The pictures in the order in which they were done."""
    events = map(json.loads, execute(command).splitlines())
    return [
        Done(event["elapsed"], event["elapsed"] * event["devices"][0]["busy"], event["losses"]["loss"], event["output"],
             event["side_by_side"])
        for event in events if event["event"] == "done"
    ]  # fmt: skip


def main() -> int:
    parser = context.parser(__doc__)
    parser.add_argument("--impasto", default=str(context.REPOSITORY / "build/release/bin/impasto"))
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--precision", default="bf16", choices=LOSS_LIMIT)
    parser.add_argument("--sizes", default="1,2,4,8,16", help="pictures side by side")
    parser.add_argument("--side", type=int, default=512, help="of the pictures")
    parser.add_argument("--iterations", type=int, default=100)
    parser.add_argument("--count", type=int, default=64, help="pictures")
    parser.add_argument("--preset", default="coursera")
    parser.add_argument("--options", nargs=argparse.REMAINDER, default=[], help="others of batch; the last ones here")
    arguments = parser.parse_args()
    sizes = [int(size) for size in arguments.sizes.split(",")]
    if arguments.count < 2 * max(sizes):
        parser.error(f"--count {arguments.count}: expected twice as many as are side by side, or more")

    print("|  | pictures/s | relative | busy |\n|---|--:|--:|--:|")
    first: Dict[str, float] = {}
    first_rate = 0.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        inputs = make_inputs(arguments.impasto, folder, arguments.side, arguments.side)
        (folder / "in").mkdir()
        for i in range(arguments.count):
            shutil.copy(inputs.content, folder / "in" / f"{i:04}.png")
        for size in sizes:
            command = [arguments.impasto, "batch", str(folder / "in"), "--styles", str(inputs.style), "-o", "none",
                       "--weights", str(inputs.weights), "--preset", arguments.preset, "--size", str(arguments.side),
                       "--devices", arguments.device, "--precision", arguments.precision, "--batch-size", str(size),
                       "--json", "--quiet", *arguments.options]  # fmt: skip
            batch([*command, "--iterations", "2"])
            done = batch([*command, "--iterations", str(arguments.iterations)])
            most = max(one.side_by_side for one in done)
            begin, end = done[most - 1], done[-1]
            seconds = end.seconds - begin.seconds
            rate = (len(done) - most) / seconds
            losses = {one.name: one.loss for one in done}
            first, first_rate = first or losses, first_rate or rate
            print(f"| {most} side by side | {rate:.2f} | {rate / first_rate:.2f} "
                  f"| {min(1, (end.busy - begin.busy) / seconds):.0%} |", flush=True)  # fmt: skip
            worst = max(relative_difference(losses[name], first[name]) for name in first)
            if worst > LOSS_LIMIT[arguments.precision]:
                print(f"{size} side by side: losses differ by {worst:.1e}", file=sys.stderr)
                return COMPARISON_FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
