#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Gram matrices by everybody who has a symmetric product, on this GPU in one run, beside the rungs of our ladder.

Peers come from their packages, and one that is not there is left out and named:

    PyTorch            F.T @ F: cuBLASLt's product of the whole square
    Emerging-Optimizers  NVIDIA's Triton kernel for the Muon optimiser   (pip install emerging-optimizers)
    QuACK              Dao-AILab's in the CuTe DSL, for Muon, too        (pip install quack-kernels)
    CUTLASS            its device-level rank-k update in tf32            (pip install nvidia-cutlass; needs nvcc)

Every result is compared with float64's before anything is timed. Each peer's launches are recorded as one graph
over sets of tensors in turn that are three times the L2 cache together, as cuda_bench does it for our rungs; peers
and cuda_bench take turns, round after round. FLOP are those of the whole square, 2 C^2 P. Prints a table in
Markdown for each shape.

--rehearse goes the same way on the CPU at a tiny shape, with loops in Python for the peers and op_bench for ours.
Ends with 8 where a result is wrong.
"""

import ctypes
import importlib
import json
import math
import random
import shutil
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Callable, Dict, List, Tuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import context  # noqa: E402
from peers.runs import execute, in_turns  # noqa: E402
from results import Machine, read_rows  # noqa: E402

WRONG = 8
LIMITS = {"bf16": 1e-2, "tf32": 1e-3, "fp32": 1e-5}  # of the error's RMS by the result's
OURS = "all rungs in one run of our program"
TIMES_L2, LEAST_LAUNCHES, LEAST_SECONDS = 3, 20, 0.2
LAYERS = {"conv1_1@512": (512, 64), "conv2_1@512": (256, 128), "conv3_1@512": (128, 256), "conv4_1@512": (64, 512),
          "conv5_1@512": (32, 512)}  # fmt: skip

Launch = Callable[[], Any]  # returns the matrix
Peer = Callable[[Any], Launch]  # of a feature map of P x C


class Missing(Exception):
    """A package or a tool that is not here."""


def found(module: str, package: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise Missing(f"{error}; pip install {package}") from error


class Host:
    """The rehearsal's device."""

    shapes = {"8x8x16": (8, 16)}
    program, options = "op_bench", ("--backend=cpu", "--dtype=fp32", "--benchmark_min_time=0.001")

    def peers(self) -> Dict[Tuple[str, str], Callable[[], Peer]]:
        def product(map_: Any) -> Any:
            columns = list(zip(*map_))
            return [[math.fsum(a * b for a, b in zip(left, right)) for right in columns] for left in columns]

        def absent() -> Peer:
            raise Missing("it is here to be left out")

        return {("plain Python", "fp32"): lambda: lambda map_: lambda: product(map_), ("nobody", "fp32"): absent}

    def maps(self, pixels: int, channels: int, precision: str) -> List[Any]:
        chance = random.Random(1)
        return [[[chance.gauss(0, 1) for _ in range(channels)] for _ in range(pixels)] for _ in range(2)]

    def error(self, result: Any, map_: Any) -> float:
        channels = range(len(map_[0]))
        expected = [[sum(pixel[i] * pixel[j] for pixel in map_) for j in channels] for i in channels]
        off = math.fsum((a - b) ** 2 for found, right in zip(result, expected) for a, b in zip(found, right))
        return math.sqrt(off / math.fsum(b**2 for right in expected for b in right))

    def seconds(self, launches: List[Launch]) -> float:
        start = time.perf_counter()
        for launch in launches:
            launch()
        return (time.perf_counter() - start) / len(launches)


class Gpu:
    """PyTorch's first one."""

    shapes = LAYERS
    program, options = "cuda_bench", ("--dtype=bf16,tf32", "--benchmark_repetitions=3")

    def __init__(self, scratch: Path) -> None:
        self.torch, self.scratch = found("torch", "torch"), scratch
        if not self.torch.cuda.is_available():
            raise Missing("PyTorch finds no GPU here (--rehearse needs none)")
        self.l2 = self.torch.cuda.get_device_properties(0).L2_cache_size
        self.graphs: Dict[int, Any] = {}
        self.torch.backends.cuda.matmul.allow_tf32 = True

    def peers(self) -> Dict[Tuple[str, str], Callable[[], Peer]]:
        return {
            ("PyTorch, cuBLASLt", "bf16"): lambda: lambda map_: lambda: map_.T @ map_,
            ("PyTorch, cuBLASLt", "tf32"): lambda: lambda map_: lambda: map_.T @ map_,
            ("Emerging-Optimizers, Triton", "bf16"): self.triton,
            ("QuACK, CuTe DSL", "bf16"): self.quack,
            ("CUTLASS, lower triangle", "tf32"): self.cutlass,
        }

    def triton(self) -> Peer:
        syrk = found("emerging_optimizers.triton_kernels.syrk", "emerging-optimizers").tsyrk_ex
        return lambda map_: lambda: syrk(map_.T)

    def quack(self) -> Peer:
        interface = found("quack.gemm_interface", "quack-kernels")

        def peer(map_: Any) -> Launch:
            out = map_.new_empty(map_.shape[1], map_.shape[1])

            def launch() -> Any:
                interface.gemm_symmetric(map_.T, map_, out=out)
                return out

            return launch

        return peer

    def cutlass(self) -> Peer:
        include = Path(found("cutlass_library", "nvidia-cutlass").__file__).parent / "source" / "include"
        if shutil.which("nvcc") is None:
            raise Missing("no nvcc on the path, which compiles CUTLASS's kernel")
        library, source = self.scratch / "syrk.so", Path(__file__).with_name("cutlass_syrk.cu")
        execute(["nvcc", "-O3", "-std=c++17", "-arch=native", "-shared", "-Xcompiler", "-fPIC", f"-I{include}",
                 str(source), "-o", str(library)])  # fmt: skip
        gram = ctypes.CDLL(str(library)).gram

        def peer(map_: Any) -> Launch:
            out = map_.new_zeros(map_.shape[1], map_.shape[1])

            def launch() -> Any:
                stream = ctypes.c_void_p(self.torch.cuda.current_stream().cuda_stream)
                pointers = (ctypes.c_void_p(one.data_ptr()) for one in (out, map_))
                if gram(*pointers, map_.shape[1], map_.shape[0], stream):
                    raise RuntimeError("CUTLASS refuses this shape")
                return out.tril() + out.tril(-1).T if not self.torch.cuda.is_current_stream_capturing() else out

            return launch

        return peer

    def maps(self, pixels: int, channels: int, precision: str) -> List[Any]:
        """Sets of tensors that are three times the L2 cache together, of ordinary numbers behind a ReLU."""
        torch = self.torch
        kind = torch.bfloat16 if precision == "bf16" else torch.float32
        torch.manual_seed(1)
        count = max(2, -(-TIMES_L2 * self.l2 // (pixels * channels * kind.itemsize)))
        return [torch.randn(pixels, channels, device="cuda").relu().to(kind) for _ in range(count)]

    def error(self, result: Any, map_: Any) -> float:
        expected = map_.double().T @ map_.double()
        return float(((result - expected).square().mean() / expected.square().mean()).sqrt())

    def seconds(self, launches: List[Launch]) -> float:
        """By events around a graph of all launches, again and again."""
        torch, key = self.torch, id(launches)
        rounds = -(-LEAST_LAUNCHES // len(launches))
        if key not in self.graphs:
            for launch in launches:
                launch()
            torch.cuda.synchronize()
            self.graphs[key] = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self.graphs[key]):
                for launch in rounds * launches:
                    launch()
        taken: List[float] = []
        while sum(taken) < LEAST_SECONDS:
            first, last = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            first.record()
            self.graphs[key].replay()
            last.record()
            last.synchronize()
            taken.append(first.elapsed_time(last) / 1000)
        return median(taken) / (rounds * len(launches))


def our_rows(program: Path, device: Any, shape: str) -> Dict[Tuple[str, str], float]:
    """Seconds of our rungs, by name and precision; the libraries' rung 0 with them."""
    command = [str(program), "--op=gram", f"--shape={shape}", "--benchmark_format=json", *device.options]
    machine = Machine(program.parent)
    read_rows(machine, program, json.loads(execute(command))["benchmarks"])
    return {("Impasto, " * (row.parts.number > 0) + row.parts.rung, row.parts.precision): row.seconds
            for row in machine.rows if row.parts.cache != "hot"}  # fmt: skip


def compare(device: Any, program: Path, shape: str, rounds: int) -> List[str]:
    """Prints the shape's table; returns sentences on what is wrong."""
    side, channels = device.shapes[shape]
    pixels, wrong = side * side, []
    launches: Dict[Tuple[str, str], List[Launch]] = {}
    errors: Dict[Tuple[str, str], float] = {}
    for (name, precision), make in device.peers().items():
        try:
            peer, maps = make(), device.maps(pixels, channels, precision)
            mine = [peer(map_) for map_ in maps]
            error = device.error(mine[0](), maps[0])
        except Missing as reason:
            print(f"left out: {name}: {reason}", file=sys.stderr)
            continue
        except Exception as reason:  # a peer that fails must not stop the others
            print(f"left out: {name}: {type(reason).__name__}: {reason}", file=sys.stderr)
            continue
        if error <= LIMITS[precision]:
            launches[name, precision], errors[name, precision] = mine, error
        else:
            wrong.append(f"{name}, {precision} at {shape}: an error of {error:.1e} of the RMS")
    runs: Dict[Any, Callable[[], Any]] = {key: partial(device.seconds, mine) for key, mine in launches.items()}
    taken = in_turns(rounds, {**runs, OURS: partial(our_rows, program, device, shape)})
    ours = taken.pop(OURS)
    times = {key: median(seconds) for key, seconds in taken.items()}
    times.update({key: median(one[key] for one in ours) for key in ours[0]})
    fastest = {precision: min(times[key] for key in times if key[1] == precision) for _, precision in times}
    print(f"\n{shape}: {channels} channels, {pixels} pixels\n")
    print("|  | precision | µs | times the fastest | TFLOP/s of the square | GB/s of F | error |\n|---|---|--:|--:|--:|--:|--:|")
    for (name, precision), seconds in sorted(times.items(), key=lambda one: (one[0][1], one[1])):
        rate, width = 2e-12 * channels**2 * pixels / seconds, 2 if precision == "bf16" else 4
        error = f"{errors[name, precision]:.0e}" if (name, precision) in errors else "checked by itself"
        print(f"| {name} | {precision} | {1e6 * seconds:.1f} | {seconds / fastest[precision]:.2f} | {rate:.3g} | "
              f"{1e-9 * channels * pixels * width / seconds:.0f} | {error} |")  # fmt: skip
    return wrong


def main() -> int:
    parser = context.parser(__doc__)
    parser.add_argument("--programs", type=Path, help="the folder with cuda_bench (with --rehearse op_bench)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rehearse", action="store_true", help="on the CPU: no figure is a measurement")
    arguments = parser.parse_args()
    build = "release" if arguments.rehearse else "cuda"
    programs = arguments.programs or context.REPOSITORY / "build" / build / "bin"
    with tempfile.TemporaryDirectory() as scratch:
        try:
            device = Host() if arguments.rehearse else Gpu(Path(scratch))
        except Missing as reason:
            parser.error(str(reason))
        if arguments.rehearse:
            print("REHEARSAL, no measurement")
        wrong = [one for shape in device.shapes for one in compare(device, programs / device.program, shape,
                                                                   arguments.rounds)]  # fmt: skip
    for sentence in wrong:
        print(f"wrong: {sentence}", file=sys.stderr)
    return WRONG if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
