#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Pictures per second of `impasto batch` on the CPU, beside a shell's loop over `impasto stylize` and,
with --python, a PyTorch loop with its model loaded once.

All make the same pictures with the same weights, preset and iterations. What they made is compared
first: the loop's files must be the batch's byte for byte, PyTorch's losses agree within the limits of
peers/agreement.py. Then they take turns, round after round; each time is a median. Ends with 8 where
results differ. Prints one JSON object; `idle` is the share of the cores' time that was not used, and
`relative_cpu` compares the time that was, which other programs on the machine disturb less.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any, Callable, Dict, List, Tuple

import context
from peers.agreement import LIMITS, relative_difference
from peers.runs import cpu_seconds, execute

LOOP = Path(__file__).with_name("peers") / "pytorch_loop.py"
COMPARISON_FAILED = 8


class Contest:
    """A folder with pictures, and the contenders that stylize them."""

    def __init__(self, arguments: argparse.Namespace, folder: Path) -> None:
        self.impasto, self.python, self.threads = arguments.impasto, arguments.python, arguments.threads
        self.folder, self.count = folder, arguments.count
        self.weights = folder / "weights.h5"
        self.settings = ["--weights", str(self.weights), "--preset", "coursera", "--init", "content",
                         "--size", str(arguments.size), "--style-size", str(arguments.size),
                         "--iterations", str(arguments.iterations), "--backend", "cpu", "--quiet"]  # fmt: skip
        self.iterations = arguments.iterations
        execute([self.impasto, "weights", "generate", str(self.weights)])
        for name in ("in", "samples"):
            (folder / name).mkdir()
        execute([self.impasto, "samples", str(folder / "samples"), "--size", str(arguments.size)])
        self.style = folder / "samples" / "painting.png"
        for i in range(self.count):
            shutil.copy(folder / "samples" / "scene.png", folder / "in" / f"{i:04}.png")

    def timed(self, run: Callable[[Path], Any]) -> Tuple[float, float]:
        """Seconds that passed, and seconds of all cores together."""
        output = self.folder / "out"
        shutil.rmtree(output, ignore_errors=True)
        output.mkdir()
        start, before = time.perf_counter(), cpu_seconds()
        run(output)
        return time.perf_counter() - start, cpu_seconds() - before

    def environment(self) -> Dict[str, str]:
        return {"OMP_NUM_THREADS": str(self.threads)}

    def batch(self, output: Path) -> None:
        execute([self.impasto, "batch", str(self.folder / "in"), "--styles", str(self.style), "-o", str(output),
                 "--name", "{stem}.png", *self.settings], self.environment())  # fmt: skip

    def loop(self, output: Path) -> None:
        command = f'for file in "{self.folder}"/in/*.png; do "{self.impasto}" stylize "$file" "{self.style}"'
        command += f' -o "{output}/$(basename "$file")" "$@" || exit 1; done'
        execute(["sh", "-c", command, "sh", *self.settings], self.environment())

    def pytorch(self, output: Path) -> Dict[str, Any]:
        report: Dict[str, Any] = json.loads(execute(
            [self.python, str(LOOP), "--weights", str(self.weights), "--contents", str(self.folder / "in"),
             "--style", str(self.style), "--output", str(output), "--iterations", str(self.iterations),
             "--threads", str(self.threads)], self.environment()))  # fmt: skip
        return report

    def check(self) -> List[str]:
        """What differs between the contenders' results."""
        self.timed(self.batch)
        made = {path.name: path.read_bytes() for path in (self.folder / "out").glob("*.png")}
        losses = self.losses()
        self.timed(self.loop)
        looped = {path.name: path.read_bytes() for path in (self.folder / "out").glob("*.png")}
        differences = [] if made == looped and len(made) == self.count else ["the loop's files"]
        if self.python:
            theirs = self.pytorch(self.folder / "out")["losses"]
            limit = LIMITS["fp32"]["loss of all pictures"]
            for name, loss in losses.items():
                difference = relative_difference(loss, theirs[name]["last"])
                if difference > limit:
                    differences.append(f"PyTorch's loss of {name}, by {difference:.1e}")
        return differences

    def losses(self) -> Dict[str, float]:
        """The last loss by picture, of the batch in the output folder."""
        found = {}
        for path in (self.folder / "out" / ".impasto" / "done").rglob("*.json"):
            record = json.loads(path.read_text(encoding="utf-8"))
            found[Path(record["output"]).stem] = record["losses"]["loss"]
        return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
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
        differences = contest.check()
        if differences:
            print("the results differ:", "; ".join(differences), file=sys.stderr)
            return COMPARISON_FAILED
        runs: Dict[str, Callable[[Path], Any]] = {"batch": contest.batch, "stylize loop": contest.loop}
        if arguments.python:
            runs["PyTorch loop"] = contest.pytorch
        seconds: Dict[str, List[float]] = {contender: [] for contender in runs}
        cpu: Dict[str, List[float]] = {contender: [] for contender in runs}
        for _ in range(arguments.rounds):
            for contender, run in runs.items():
                wall, busy = contest.timed(run)
                seconds[contender].append(wall)
                cpu[contender].append(busy)
    usual = {contender: median(times) for contender, times in seconds.items()}
    used = {contender: median(times) for contender, times in cpu.items()}
    print(json.dumps({
        "count": arguments.count, "size": arguments.size, "iterations": arguments.iterations,
        "threads": arguments.threads, "seconds": seconds,
        "cpu_seconds": cpu,
        "images_per_second": {name: arguments.count / time_ for name, time_ in usual.items()},
        "relative": {name: time_ / usual["batch"] for name, time_ in usual.items()},
        "relative_cpu": {name: time_ / used["batch"] for name, time_ in used.items()},
        "idle": {name: 1 - used[name] / (arguments.threads * time_) for name, time_ in usual.items()},
    }, indent=2))  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
