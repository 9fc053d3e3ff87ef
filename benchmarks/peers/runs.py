# SPDX-License-Identifier: MIT
"""Runs `impasto stylize` and the PyTorch peer on the same inputs, and compares what both report."""

import json
import os
import resource
import signal
import subprocess
import tempfile
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from subprocess import PIPE
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, TypeVar

from peers.agreement import judge

CHECKED_ITERATIONS = 10  # whose losses are compared
PEER = Path(__file__).with_name("pytorch_peer.py")
LARGEST_DRAWN = 512
Record = Dict[str, Any]
Key, Value = TypeVar("Key"), TypeVar("Value")


@dataclass(frozen=True)
class Inputs:
    """What both programs read: nothing is resized on the way."""

    weights: Path
    content: Path
    style: Path
    content_size: int
    style_size: int


@dataclass(frozen=True)
class Run:
    """One optimisation: how it was computed, a record for every picture from the first on, and how it ended."""

    about: Record
    records: List[Record]
    end: Record


@dataclass
class Contender:
    """A program in one configuration, and what its runs have shown."""

    program: str
    form: str
    precision: str
    seconds: List[float] = field(default_factory=list)  # of one iteration, measured again and again
    found: Record = field(default_factory=dict)

    @property
    def name(self) -> str:
        return " ".join(filter(None, (self.program, self.precision, self.form)))

    def compare(self, reference: Run, run: Run) -> bool:
        """Whether the losses agree within the limits of the precision."""
        agree, differences, sentence = judge(reference.records, run.records, self.precision)
        self.found.update(agrees=agree, differences=differences, judgement=sentence, about=run.about)
        self.found["peak_memory_bytes"] = run.end["peak_memory_bytes"]
        return agree

    def result(self) -> Record:
        about = {"program": self.program, "form": self.form, "precision": self.precision}
        timed = {"seconds_per_iteration": median(self.seconds), "seconds": self.seconds} if self.seconds else {}
        return {**about, **timed, **self.found}


def in_turns(rounds: int, runs: Mapping[Key, Callable[[], Value]]) -> Dict[Key, List[Value]]:
    """What each of several runs gave, round after round, so that whatever else the machine does meets all of them."""
    found: Dict[Key, List[Value]] = {key: [] for key in runs}
    for _ in range(rounds):
        for key, run in runs.items():
            found[key].append(run())
    return found


def end_group(process: "subprocess.Popen[str]") -> None:
    """Ends a process that leads a group of its own, and whatever it has started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def cpu_seconds() -> float:
    """Of all programs that were run so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def execute(
    command: Sequence[str], environment: Optional[Dict[str, str]] = None, timeout: Optional[float] = None
) -> str:
    """What the command writes to stdout. Ends it, and raises, when `timeout` seconds are over."""
    line = " ".join(command)
    variables = {**os.environ, **(environment or {})}
    own = {"env": variables, "text": True, "start_new_session": True}
    with subprocess.Popen(command, stdout=PIPE, stderr=PIPE, **own) as process:
        try:
            output, errors = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired as expired:
            raise RuntimeError(f"{line} took longer than {timeout:.0f} s") from expired
        finally:
            end_group(process)
    if process.returncode != 0:
        raise RuntimeError(f"{line} exited with {process.returncode}:\n{errors}")
    return output


def precisions_of(impasto: str, backend: str) -> List[str]:
    """Those that a backend offers, its default first."""
    offered = {entry["name"]: entry["precisions"] for entry in json.loads(execute([impasto, "devices", "--json"]))}
    return list(offered[backend])


def make_inputs(impasto: str, folder: Path, content_size: int, style_size: int) -> Inputs:
    """The built-in network and the two built-in pictures, written by the program itself.

    A network that is in the folder already is used again.
    """
    weights = folder / "weights.h5"
    if not weights.exists():
        execute([impasto, "weights", "generate", str(weights)])
    for name, size in (("content", content_size), ("style", style_size)):
        (folder / name).mkdir(exist_ok=True)
        execute([impasto, "samples", str(folder / name), "--size", str(size)])
    scene, painting = folder / "content" / "scene.png", folder / "style" / "painting.png"
    return Inputs(weights, scene, painting, content_size, style_size)


def make_square_inputs(impasto: str, python: str, folder: Path, side: int) -> Inputs:
    """The same with both pictures cut to squares; `python` has PIL. Large ones are small ones made
    larger, because drawing takes its time."""
    drawn = min(side, LARGEST_DRAWN)
    width = -(-drawn * 4 // 3)  # the built-in pictures are 4:3
    inputs = make_inputs(impasto, folder, width, width)
    cut = "import sys; from PIL import Image; path, *sides = sys.argv[1:]; "
    cut += "drawn, side = map(int, sides); picture = Image.open(path).crop((0, 0, drawn, drawn)); "
    cut += "picture.resize((side, side)).save(path, compress_level=1)"
    for path in (inputs.content, inputs.style):
        execute([python, "-c", cut, str(path), str(drawn), str(side)])
    return replace(inputs, content_size=side, style_size=side)


def stylize(
    command: Sequence[str], log: Path, threads: Optional[int] = None, timeout: Optional[float] = None
) -> Run:
    """`impasto stylize ...`, and what its log says."""
    environment = {"OMP_NUM_THREADS": str(threads)} if threads else {}
    execute([*command, "--quiet", "--log", str(log)], environment, timeout)
    start, *records, end = (json.loads(line) for line in log.read_text(encoding="utf-8").splitlines())
    about = {key: start[key] for key in ("versions", "backend", "network", "height", "width")}
    return Run(about, [record for record in records if record["event"] == "iteration"], end)


def run_impasto(
    impasto: str, inputs: Inputs, iterations: int, threads: int, precision: str = "fp32", backend: str = "cpu"
) -> Run:
    """As the PyTorch peer does it."""
    command = [impasto, "stylize", str(inputs.content), str(inputs.style)]
    command += ["-o", str(inputs.weights.with_name("result.png"))]
    command += ["--weights", str(inputs.weights), "--preset", "coursera", "--init", "content"]
    command += ["--size", str(inputs.content_size), "--style-size", str(inputs.style_size)]
    command += ["--iterations", str(iterations), "--device", backend, "--precision", precision]
    return stylize(command, inputs.weights.with_name("log.jsonl"), threads)


class Peer:
    """A PyTorch peer that stays in memory, compiled and warm, and times steps when asked.

    Start one, read `run` for what its first iterations computed, then ask for times. As a context manager,
    so that the process ends with the block.
    """

    def __init__(
        self, python: str, inputs: Inputs, iterations: int, threads: int, options: Sequence[str] = (),
        environment: Optional[Dict[str, str]] = None, timeout: float = 3600,
    ) -> None:  # fmt: skip
        command = [python, str(PEER), "--weights", str(inputs.weights), "--content", str(inputs.content)]
        command += ["--style", str(inputs.style), "--iterations", str(iterations), "--threads", str(threads), *options]
        variables = {**os.environ, "OMP_NUM_THREADS": str(threads), **(environment or {})}
        self.errors = tempfile.TemporaryFile("w+", encoding="utf-8")
        self.process = subprocess.Popen(
            command, env=variables, stdin=PIPE, stdout=PIPE, stderr=self.errors, text=True, start_new_session=True
        )
        try:
            report = self._answer(timeout)
        except BaseException:
            end_group(self.process)
            raise
        records, peak = report.pop("iterations"), report.pop("peak_memory_bytes")
        self.run = Run(report, records, {"peak_memory_bytes": peak})

    def __enter__(self) -> "Peer":
        return self

    def __exit__(self, *_: Any) -> None:
        end_group(self.process)
        self.errors.close()

    def seconds_per_step(self, steps: int, timeout: float = 3600) -> float:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()
        return float(self._answer(timeout)["seconds"])

    def _answer(self, timeout: float) -> Record:
        """The next line it prints; one that does not come in time ends the process."""
        assert self.process.stdout is not None
        timer = threading.Timer(timeout, end_group, (self.process,))
        timer.start()
        line = self.process.stdout.readline()
        timer.cancel()
        if not line:
            self.errors.seek(0)
            said = [one.strip() for one in self.errors if one.strip()]
            said_last = said[-1] if said else "it said nothing"
            raise RuntimeError(f"PyTorch gave no answer within {timeout:.0f} s: {said_last}")
        answer: Record = json.loads(line)
        return answer


def run_peer(python: str, inputs: Inputs, iterations: int, threads: int, *more: Any) -> Run:
    with Peer(python, inputs, iterations, threads, *more) as peer:
        return peer.run
