# SPDX-License-Identifier: MIT
"""What the stages of a GPU run share: the programs, the sizes, the time that is left, the results."""

import json
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

from context import replace_text
from peers.runs import execute, precisions_of

Result = Dict[str, Any]


class Skipped(Exception):
    """A stage cannot run here, for a reason that is no fault."""


Shapes = Tuple[Tuple[int, int], ...]  # side and batch, the most telling first


@dataclass(frozen=True)
class Scale:
    """What is run, and how large: on a GPU, unless it says otherwise."""

    backend: str = "cuda"  # and PyTorch's device
    kernel_tests: str = "cuda_kernels_test"  # the program, and which of its tests
    kernel_filter: str = "*"
    backend_filter: str = "*/cuda_*"  # of backend_test
    check_backend: str = "cuda"
    shapes: Shapes = ((512, 1), (512, 8), (1024, 1), (256, 1), (2048, 1), (4096, 1),
                      (256, 8), (1024, 8), (2048, 8), (4096, 8))  # fmt: skip
    largest_beside_peers: int = 2048
    tuned_shapes: Shapes = ((512, 1), (512, 8))  # others get the libraries' first plans
    peer_forms: Tuple[str, ...] = ("eager", "autocast", "tuned eager", "compiled")
    sample_size: int = 512
    iterations: int = 500  # of a whole stylization
    cpu_iterations: int = 30
    repetitions: int = 20  # of the run whose result must not change
    rounds: int = 3
    min_seconds: float = 0.4  # of one measurement
    # The program that measures what the machine can do at most.
    ceilings: Tuple[str, ...] = ("cuda_bench", "--op=adam", "--shape=8x8x3", "--benchmark_repetitions=1")
    ladder: Tuple[str, ...] = ("cuda_bench", "--shape=conv1_1@512,conv3_1@512,conv5_1@512",
                               "--dtype=fp32,tf32,bf16", "--benchmark_repetitions=5")  # fmt: skip
    # style_backward last: building cuDNN's engines for its rung 0 may take all the time there is.
    ladder_ops: Tuple[str, ...] = ("gram", "gram_loss", "pool_backward", "first_conv_forward", "first_conv_backward",
                                   "content_loss", "total_variation", "adam", "style_backward")  # fmt: skip


FULL = Scale()

# The same path on a CPU, as small as it can be.
REHEARSAL = Scale(
    backend="cpu", kernel_tests="device_kernels_test", kernel_filter="Adam*", backend_filter="Check.*",
    check_backend="simt", shapes=((32, 1),), tuned_shapes=(), peer_forms=("eager",),
    sample_size=32, iterations=12, cpu_iterations=12, repetitions=2, rounds=2, min_seconds=0.01,
    ceilings=("ceilings_bench", "--benchmark_min_time=0.01"), ladder=("simt_bench", "--shape=4x4x8"),
    ladder_ops=("adam",),
)  # fmt: skip


@dataclass
class Campaign:
    programs: Path
    python: str  # has torch, h5py and PIL
    output: Path
    scratch: Path
    scale: Scale
    context: Dict[str, Any]
    deadline: float = 0  # of the stage that runs, by time.monotonic()
    failures: List[str] = field(default_factory=list)  # of that stage

    @property
    def impasto(self) -> str:
        return str(self.programs / "impasto")

    def program(self, name: str) -> str:
        path = self.programs / name
        if not path.exists():
            raise RuntimeError(f"no program {path}")
        return str(path)

    def left(self) -> float:
        return self.deadline - time.monotonic()

    def execute(self, *command: str, timeout: float = 600) -> str:
        """What a program writes to stdout; it must end before the stage's time does."""
        seconds = min(timeout, self.left())
        if seconds <= 0:
            raise RuntimeError(f"no time left for {' '.join(command)}")
        return execute(command, timeout=seconds)

    def json(self, *command: str, timeout: float = 600) -> Any:
        return json.loads(self.execute(*command, timeout=timeout))

    def precisions(self, backend: str = "") -> List[str]:
        """Those of a backend, of the one under test unless another is named, its default first."""
        return precisions_of(self.impasto, backend or self.scale.backend)

    def fail(self, sentence: str) -> None:
        """Notes what is wrong and goes on."""
        self.failures.append(sentence)
        print(f"  FAILED: {sentence}", flush=True)

    @contextmanager
    def attempt(self, name: str) -> Iterator[None]:
        """Goes on behind a block that fails, and notes why it did."""
        try:
            yield
        except RuntimeError as error:
            self.fail(f"{name}: {str(error).splitlines()[-1]}")

    def keep(self, result: Result) -> None:
        """Writes what is known so far, so that a run that is cut short leaves it behind."""
        result["failures"] = self.failures
        self.output.mkdir(parents=True, exist_ok=True)
        replace_text(self.output / f"{result['stage']}.json", json.dumps(result, indent=1) + "\n")
