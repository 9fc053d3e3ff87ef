# SPDX-License-Identifier: MIT
"""What the stages of a campaign share: the programs, the sizes, the time that is left, the results."""

import json
import os
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Tuple

from context import keep
from peers.runs import execute, precisions_of

Result = Dict[str, Any]


class Skipped(Exception):
    """A stage cannot run here, for a reason that is no fault."""


Command = Tuple[str, ...]  # a program of ours and its options
Shapes = Tuple[Tuple[int, int], ...]  # side and batch, the most telling first


@dataclass(frozen=True)
class Form:
    """A way to run PyTorch, with the precision whose limits its losses are held to."""

    name: str
    precision: str
    options: Command


CHANNELS_LAST = "--channels-last"
COMPILED = (CHANNELS_LAST, "--compile")
# PyTorch as it comes multiplies convolutions in TF32. Of tuned eager code there are two kinds: autocast, and a
# network stored in bf16, which spares the conversions that autocast repeats.
GPU_FORMS = (
    Form("eager", "tf32", ("--precision", "default")),
    Form("autocast", "bf16", ("--precision", "autocast", CHANNELS_LAST)),
    Form("tuned eager", "bf16", ("--precision", "bf16", CHANNELS_LAST)),
    Form("compiled", "bf16", ("--precision", "bf16", *COMPILED)),
)
CPU_FORMS = tuple(
    Form(name, precision, ("--precision", precision, *options))
    for precision in ("fp32", "bf16")
    for name, options in (("NCHW", ()), ("NHWC", (CHANNELS_LAST,)), ("NHWC, compiled", COMPILED))
)
# What makes PyTorch faster on a CPU from outside: threads that stay on their cores, and a heap that keeps
# its memory and asks for large pages. Otherwise tensors of many megabytes go back to the system
# after each operation and are zeroed by it before the next one.
CPU_TUNING = {
    "OMP_PROC_BIND": "true",
    "MALLOC_TRIM_THRESHOLD_": str(1 << 32),
    "MALLOC_MMAP_THRESHOLD_": str(1 << 32),
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}


def ladders(repetitions: int, dtypes: str, shapes: Iterable[str], conv_shapes: Iterable[str]) -> Tuple[Command, ...]:
    """Every rung of every kernel. The convolutions' compete in 16 bits. style_backward last: building cuDNN's engines
    for its rung 0 may take all the time there is."""
    ops = ("gram", "gram_loss", "pool_backward", "first_conv_forward", "first_conv_backward", "content_loss",
           "total_variation", "adam", "conv_forward", "conv_data_gradient", "style_backward")  # fmt: skip

    def command(op: str) -> Command:
        conv = op in ("conv_forward", "conv_data_gradient")
        own = ",".join(one for one in dtypes.split(",") if not conv or one.endswith("16"))
        where = ",".join(conv_shapes if conv else shapes)
        return ("cuda_bench", f"--op={op}", f"--shape={where}", f"--dtype={own}", f"--benchmark_repetitions={repetitions}")

    return tuple(command(op) for op in ops)


@dataclass(frozen=True)
class Scale:
    """What is run, and how large: on a GPU, unless it says otherwise."""

    backend: str = "cuda"  # and PyTorch's device
    build: str = "cuda"  # the folder under build/ that has the programs
    stages: Tuple[str, ...] = ()  # none: all
    budget: float = 1200  # seconds for them
    tests: Tuple[Command, ...] = (("cuda_kernels_test",), ("backend_test", "--gtest_filter=*/cuda_*"))
    check_backend: str = "cuda"
    shapes: Shapes = ((512, 1), (512, 8), (1024, 1), (256, 1), (2048, 1), (256, 8), (1024, 8), (2048, 8),
                      (4096, 1), (4096, 8))  # fmt: skip
    peer_shapes: Shapes = shapes[:-2]
    tuned_shapes: Shapes = ((512, 1), (512, 8))  # others get the libraries' first plans
    peer_forms: Tuple[Form, ...] = GPU_FORMS
    peer_tuning: Dict[str, str] = field(default_factory=dict)  # of PyTorch's environment
    threads: int = 4  # of the host
    sample_size: int = 512
    iterations: int = 500  # of a whole stylization
    cpu_iterations: int = 30
    repetitions: int = 20  # of the run whose result must not change
    rounds: int = 3
    min_seconds: float = 0.4  # of one measurement
    # The program that measures what the machine can do at most.
    ceilings: Command = ("cuda_bench", "--op=adam", "--shape=8x8x3", "--benchmark_repetitions=1")
    operations: Tuple[Command, ...] = ladders(5, "fp32,tf32,bf16", [f"conv{block}_1@512" for block in (1, 3, 5)],
                                              ("conv2_1@512", "conv5_1@512"))  # fmt: skip


GPU = Scale()

# For kernels/tune.py: style layers at the sizes of pictures that people make, and convolutions of up to 128 channels,
# beyond which their last rung is the one below.
TUNING_SHAPES = [f"conv{block}_1@{size}" for size in (256, 512, 1024) for block in range(1, 6)]
TUNING_CONVS = [f"{layer}@{size}" for size in (256, 512) for layer in ("conv1_2", "conv2_1", "conv2_2", "conv3_1")]
TUNING = Scale(stages=("operations",), budget=7200,
               operations=ladders(10, "fp32,tf32,bf16,fp16", TUNING_SHAPES, TUNING_CONVS))  # fmt: skip

CPU_SHAPES = ((256, 1), (128, 1), (192, 1), (384, 1), (128, 2), (128, 4))
CPU = Scale(
    backend="cpu", build="release", stages=("environment", "tests", "iteration", "peers", "operations"), budget=3600,
    tests=(), check_backend="cpu", shapes=CPU_SHAPES, peer_shapes=((256, 1), (512, 1)), tuned_shapes=CPU_SHAPES,
    peer_forms=CPU_FORMS, peer_tuning=CPU_TUNING, threads=len(os.sched_getaffinity(0)), rounds=5, min_seconds=1,
    ceilings=("ceilings_bench",),
    operations=(("op_bench", "--backend=cpu", "--benchmark_min_time=0.05", "--benchmark_repetitions=5"),),
)  # fmt: skip

# The GPU's path on a CPU, as small as it can be.
REHEARSAL = Scale(
    backend="cpu", build="release",
    tests=(("device_kernels_test", "--gtest_filter=Adam*"), ("backend_test", "--gtest_filter=Check.*")),
    check_backend="simt", shapes=((32, 1),), peer_shapes=((32, 1),), tuned_shapes=(), peer_forms=GPU_FORMS[:1],
    sample_size=32, iterations=12, cpu_iterations=12, repetitions=2, rounds=2, min_seconds=0.01,
    ceilings=("ceilings_bench", "--benchmark_min_time=0.01"),
    operations=(("simt_bench", "--op=adam", "--shape=4x4x8"),),
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

    def execute(self, *command: str, timeout: float = 3600) -> str:
        """What a program writes to stdout; it must end before the stage's time does."""
        seconds = min(timeout, self.left())
        if seconds <= 0:
            raise RuntimeError(f"no time left for {' '.join(command)}")
        return execute(command, timeout=seconds)

    def json(self, *command: str, timeout: float = 3600) -> Any:
        return json.loads(self.execute(*command, timeout=timeout))

    def benchmark(self, program: str, *options: str) -> Any:
        """What one of our Google Benchmark programs writes."""
        return self.json(self.program(program), "--benchmark_format=json", *options)

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
        keep(self.output / f"{result['stage']}.json", **{"context": self.context, **result})
