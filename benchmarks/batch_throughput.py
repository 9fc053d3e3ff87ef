#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Pictures per second of `impasto batch` on the CPU, beside a shell's loop over `impasto stylize` and,
with --python, a PyTorch loop with its model loaded once, in either layout of its tensors.

All make the same pictures with the same weights, preset and iterations. What they made is compared
first: the loop's files must be the batch's byte for byte, PyTorch's last losses agree within LOSS_LIMIT.
Then they take turns, round after round; each time is a median. Ends with 8 where
results differ. Prints a table in Markdown; `idle` is the share of the cores' time that was not used, and
`relative CPU` compares the time that was, which other programs on the machine disturb less.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Callable, Dict, List, Tuple

import context
from peers.agreement import relative_difference
from peers.runs import cpu_seconds, execute, in_turns, make_inputs

LOOP = Path(__file__).with_name("peers") / "pytorch_loop.py"
COMPARISON_FAILED = 8
# Of the loss after 20 iterations, relative. Seen at 128 x 128 against PyTorch in double: fp32 and winograd
# 1.0e-3, PyTorch's own fp32 1.4e-4; our reference in double 6e-8 at 64 x 64 (see peers/agreement.py for why).
LOSS_LIMIT = 5e-3


class Contest:
    """A folder with pictures, and the contenders that stylize them into another."""

    def __init__(self, arguments: argparse.Namespace, folder: Path) -> None:
        self.arguments, self.folder, self.output = arguments, folder, folder / "out"
        self.inputs = make_inputs(arguments.impasto, folder, arguments.size, arguments.size)
        self.settings = ["--weights", str(self.inputs.weights), "--preset", "coursera", "--init", "content",
                         "--size", str(arguments.size), "--style-size", str(arguments.size),
                         "--iterations", str(arguments.iterations), "--quiet"]  # fmt: skip
        (folder / "in").mkdir()
        for i in range(arguments.count):
            shutil.copy(self.inputs.content, folder / "in" / f"{i:04}.png")
        self.runs: Dict[str, Callable[[], Any]] = {"batch": self.batch, "stylize loop": self.loop}
        if arguments.python:
            self.runs["PyTorch loop, NCHW"] = self.pytorch
            self.runs["PyTorch loop, NHWC"] = lambda: self.pytorch("--channels-last")

    def timed(self, contender: str) -> Tuple[float, float]:
        """Seconds that passed, and seconds of all cores together."""
        shutil.rmtree(self.output, ignore_errors=True)
        self.output.mkdir()
        start, before = time.perf_counter(), cpu_seconds()
        self.runs[contender]()
        return time.perf_counter() - start, cpu_seconds() - before

    def execute(self, *command: str) -> str:
        return execute(command, {"OMP_NUM_THREADS": str(self.arguments.threads)})

    def batch(self) -> None:
        self.execute(self.arguments.impasto, "batch", str(self.folder / "in"), "--styles", str(self.inputs.style),
                     "-o", str(self.output), "--name", "{stem}.png", "--devices", "cpu", *self.settings)  # fmt: skip

    def loop(self) -> None:
        command = f'for file in "{self.folder}"/in/*.png; do "{self.arguments.impasto}" stylize "$file"'
        command += f' "{self.inputs.style}" -o "{self.output}/$(basename "$file")" "$@" || exit 1; done'
        self.execute("sh", "-c", command, "sh", "--device", "cpu", *self.settings)

    def pytorch(self, *layout: str) -> Dict[str, float]:
        """The last losses by picture."""
        losses: Dict[str, float] = json.loads(self.execute(
            self.arguments.python, str(LOOP), "--weights", str(self.inputs.weights), "--content",
            str(self.folder / "in"), "--style", str(self.inputs.style), "--output", str(self.output),
            "--iterations", str(self.arguments.iterations), "--threads", str(self.arguments.threads), *layout,
        ))["losses"]  # fmt: skip
        return losses

    def made_by(self, contender: str) -> Dict[str, bytes]:
        self.timed(contender)
        return {path.name: path.read_bytes() for path in self.output.glob("*.png")}

    def differences(self) -> List[str]:
        """What differs between the contenders' results."""
        made = self.made_by("batch")
        records = [json.loads(path.read_text(encoding="utf-8")) for path in self.output.glob(".impasto/done/**/*.json")]
        same = made == self.made_by("stylize loop") and len(made) == self.arguments.count
        found = [] if same else ["the loop's files"]
        theirs = self.pytorch() if self.arguments.python else {}
        for record in records if theirs else []:
            name = Path(record["output"]).stem
            difference = relative_difference(record["losses"]["loss"], theirs[name])
            if difference > LOSS_LIMIT:
                found.append(f"PyTorch's loss of {name}, by {difference:.1e}")
        return found


def main() -> int:
    parser = context.parser(__doc__)
    parser.add_argument("--impasto", default=str(context.REPOSITORY / "build/release/bin/impasto"))
    parser.add_argument("--python", help="one that has PyTorch")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--count", type=int, default=64, help="pictures")
    parser.add_argument("--size", type=int, default=128, help="their longer side")
    parser.add_argument("--iterations", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        contest = Contest(arguments, Path(name))
        differences = contest.differences()
        if differences:
            print("the results differ:", "; ".join(differences), file=sys.stderr)
            return COMPARISON_FAILED
        taken = in_turns(arguments.rounds, {name: partial(contest.timed, name) for name in contest.runs})
    # Of each contender the seconds that passed, and those of all cores.
    usual = {name: [median(times) for times in zip(*rounds)] for name, rounds in taken.items()}
    print("{count} pictures of {size}, {iterations} iterations, {threads} threads\n".format(**vars(arguments)))
    print("|  | pictures/s | relative | relative CPU | idle |\n|---|--:|--:|--:|--:|")
    for name, (seconds, cpu) in usual.items():
        relative = [f"{one / ours:.2f}" for one, ours in zip((seconds, cpu), usual["batch"])]
        idle = 1 - cpu / (arguments.threads * seconds)
        print(f"| {name} | {arguments.count / seconds:.2f} | {' | '.join(relative)} | {idle:.0%} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
