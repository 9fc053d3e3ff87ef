# SPDX-License-Identifier: MIT
"""What nvcc makes of the kernels' inline assembly computes what it should.

Compiles kernels for sm_80, and those with wgmma for sm_90a, to PTX, executes each one that has inline assembly
of ours in interpreter.py on small problems, and compares the results with NumPy's in double. Every instruction
of ours must have been executed. Then the assembly is damaged, and something must object.

Needs nvcc and NumPy, no GPU; ends with 77 where one is missing.
"""

import re
import shutil
import struct
import sys
import unittest
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Callable, Dict, Iterator, List, NamedTuple, Set, Tuple

try:
    import numpy as np
except ImportError:
    print("no NumPy: what nvcc makes of inline assembly was not executed", file=sys.stderr)
    sys.exit(77)

from interpreter import Device, Kernel
from sm90 import tensor_map
from source import Module, PtxError

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "kernels"))
from kernel_resources import demangled, ptx_of  # noqa: E402

# gram_loss takes longest to compile. The rungs of gram with inline assembly are also its own.
SOURCES = ("gram_loss", "style_backward", "conv", "first_conv_gram_loss", "style_first_conv")
IN_ANOTHER_SOURCE = {"gram": "gram_loss"}
FOR_SM90 = ("gram", "style_backward", "conv")
ASSEMBLY = r"mma\.sync|ldmatrix|cp\.async|cvt\.rna\.tf32|mbarrier|wgmma|fence\.(?:mbarrier|proxy)"
# nvcc unrolls loops over copies, and the copies behind some of its branches no thread needs.
NOT_ALL_EXECUTED = ("cp.async.cg.", "cp.async.bulk.")
PROCESSES = 2


# ---- The kernels

Change = Callable[[str], str]


class Library:
    """The kernels of all sources, by their names without namespaces."""

    def __init__(self, nvcc: str):
        self.kernels: Dict[str, Tuple[Module, str]] = {}
        with ThreadPoolExecutor(PROCESSES) as pool:
            compiled = [(op, "80") for op in SOURCES] + [(op, "90a") for op in FOR_SM90]
            texts = pool.map(lambda of: ptx_of(nvcc, source_of(of[0]), of[1]), compiled)
            for (_, arch), text in zip(compiled, texts):
                module = Module(text)
                for short, mangled in zip(demangled(module.kernels), module.kernels):
                    if ("wgmma" in short) == (arch == "90a"):
                        self.kernels[short] = (module, mangled)

    def text(self, name: str) -> str:
        module, mangled = self.kernels[name]
        return module.text(mangled)

    def with_assembly(self) -> List[str]:
        return [name for name in self.kernels if re.search(ASSEMBLY, self.text(name))]


class Runner:
    """Launches a library's kernels on a device of its own; `change` damages one of them first. A case may have
    a `small` problem, which shows the layout of registers."""

    def __init__(self, library: Library, damaged: str = "", change: Change = str, small: bool = False):
        self.library, self.damaged, self.change, self.small = library, damaged, change, small
        self.kernels: Dict[str, Kernel] = {}
        self.device = Device()
        self.generator = np.random.default_rng(1)

    def random(self, *shape: int) -> np.ndarray:
        return self.generator.standard_normal(shape)

    def __call__(self, name: str, blocks: Tuple[int, ...], arguments: List[bytes], shared_bytes: int = 0) -> None:
        module, mangled = self.library.kernels[name]
        if name not in self.kernels:
            self.kernels[name] = Kernel(module.kernel(mangled, self.change if name == self.damaged else str))
        self.device.launch(self.kernels[name], blocks, module.threads(mangled), arguments, shared_bytes)


# ---- Numbers


def rounded(values: np.ndarray, fraction: int, away: bool = False) -> np.ndarray:
    """To so many bits of fraction; ties to even, or away from zero."""
    significand, exponent = np.frexp(values)
    scaled = significand * 2.0 ** (fraction + 1)
    whole = np.copysign(np.floor(np.abs(scaled) + 0.5), scaled) if away else np.rint(scaled)
    return np.ldexp(whole, exponent - fraction - 1)


class Storage(NamedTuple):
    """A type of maps: its name in C++, its bytes, how it rounds, and how tensor cores see it."""

    name: str
    bytes: int
    round: Callable[[np.ndarray], np.ndarray]
    factor: Callable[[np.ndarray], np.ndarray]

    def encode(self, values: np.ndarray) -> np.ndarray:
        if self.name == "float16":
            return values.astype(np.float16)
        single = self.round(values).astype(np.float32)
        return single if self.name == "float" else (single.view(np.uint32) >> 16).astype(np.uint16)

    def decode(self, stored: np.ndarray) -> np.ndarray:
        if self.name == "bfloat16":
            stored = (stored.astype(np.uint32) << 16).view(np.float32)
        return stored.astype(np.float64)

    @property
    def dtype(self):
        return {"float": np.float32, "bfloat16": np.uint16, "float16": np.float16}[self.name]


def as_it_is(values: np.ndarray) -> np.ndarray:
    return values


STORAGE = {
    storage.name: storage
    for storage in (
        Storage("float", 4, lambda x: x.astype(np.float32).astype(np.float64), lambda x: rounded(x, 10, away=True)),
        Storage("bfloat16", 2, lambda x: rounded(x, 7), as_it_is),
        Storage("float16", 2, lambda x: x.astype(np.float16).astype(np.float64), as_it_is),
    )
}


class Result(NamedTuple):
    """Limits are relative to the root mean square of what is expected: of the root mean square of the
    differences, and of the largest."""

    actual: np.ndarray
    expected: np.ndarray
    rms: float
    worst: float

    def complaint(self) -> str:
        assert self.actual.shape == self.expected.shape
        difference = np.where(np.isfinite(self.actual), np.abs(self.actual - self.expected), np.inf)
        scale = np.sqrt(np.mean(self.expected**2))
        rms, worst = np.sqrt(np.mean(difference**2)) / scale, difference.max() / scale
        good = rms <= self.rms and worst <= self.worst
        return "" if good else f"relative errors {rms:.1e} and {worst:.1e}, limits {self.rms:.1e} and {self.worst:.1e}"


# Sums in float of exact products; what is rounded to 16 bits and falls on the other side of a tie.
IN_FLOAT = (6e-7, 7e-6)
IN_16_BITS = (1e-3, 5e-2)


def symmetric(matrix: np.ndarray) -> np.ndarray:
    return np.triu(matrix) + np.swapaxes(np.triu(matrix, 1), -1, -2)


def scalars(formats: str, *values) -> List[bytes]:
    """Parameters of a kernel, each in the format of struct.pack: Q is a pointer or 64 bits."""
    return [struct.pack(f"<{code}", value) for code, value in zip(formats, values)]


def record(formats: str, *values) -> List[bytes]:
    """One parameter that is a struct."""
    return [struct.pack(f"<{formats}", *values)]


def parts(whole: int, of: int) -> int:
    return -(-whole // of)


# ---- The operations: each launches its kernel as its launcher does

Case = Callable[..., Iterator[Result]]
CASES: List[Tuple[re.Pattern, Case]] = []


def case(pattern: str):
    def register(run: Case) -> Case:
        CASES.append((re.compile(pattern), run))
        return run

    return register


def run_case(run: Runner, name: str) -> List[Result]:
    for pattern, case_of in CASES:
        match = pattern.fullmatch(name)
        if match:
            return list(case_of(run, name, **match.groupdict()))
    raise AssertionError(f"no case executes {name}: add one to {Path(__file__).name}")


class GramPlan(NamedTuple):
    """As kernels/gram/gram_plan.hpp cuts a small product."""

    images: int
    pixels: int
    channels: int
    tile: int

    split_pixels = 256

    @property
    def side(self) -> int:
        return parts(self.channels, self.tile)

    @property
    def tiles(self) -> int:
        return self.side * (self.side + 1) // 2

    @property
    def splits(self) -> int:
        return parts(self.pixels, self.split_pixels)

    @property
    def partials(self) -> int:
        return self.splits * self.tiles * self.tile**2

    @property
    def count(self) -> int:
        return self.images * self.splits * self.tiles

    def work(self) -> List[bytes]:
        sizes = (self.pixels, self.partials, self.split_pixels, self.channels, self.tiles, self.splits, self.count)
        return record("qqiiIII4x", *sizes)

    def values(self, partials: np.ndarray) -> np.ndarray:
        """The sums of the splits' tiles, what lies in G of them, one after the other."""
        sums = partials.astype(np.float64).reshape(self.images, self.splits, self.tiles, self.tile, self.tile).sum(1)
        return self.each_tile(
            lambda i, tile, rows, columns: sums[i, tile, : rows.stop - rows.start, : columns.stop - columns.start]
        )

    def expected(self, grams: np.ndarray) -> np.ndarray:
        return self.each_tile(lambda i, tile, rows, columns: grams[i, rows, columns])

    def each_tile(self, of: Callable[..., np.ndarray]) -> np.ndarray:
        ranges = [slice(k * self.tile, min((k + 1) * self.tile, self.channels)) for k in range(self.side)]
        pairs = [(ranges[row], ranges[column]) for row in range(self.side) for column in range(row, self.side)]
        return np.concatenate(
            [of(i, tile, *pair).ravel() for i in range(self.images) for tile, pair in enumerate(pairs)]
        )


def gram_problem(
    run: Runner, of: Storage, tile: int, packed: bool, pixels: int = 0
) -> Tuple[GramPlan, int, np.ndarray]:
    """Two splits of one tile, or three tiles, with an edge each way: the address of the maps, and G."""
    if tile == 64:
        plan = GramPlan(2, pixels or 300, 64 if run.small else 56 if packed else 61, 64)
    else:
        plan = GramPlan(1, pixels or 90, 200 if packed else 197, 128)
    features = of.round(run.random(plan.images, plan.pixels, plan.channels))
    seen = of.factor(features)
    return plan, run.device.put(of.encode(features)), seen.transpose(0, 2, 1) @ seen


@case(r"gram_(?P<kind>tensor_cores|pipeline)_kernel<(?P<storage>\w+), (?P<tile>\d+),.*?(?P<packed>true|false)>")
def gram(run: Runner, name: str, kind: str, storage: str, tile: str, packed: str) -> Iterator[Result]:
    """Rungs 9 and 10, whose slices differ, and 11 and 12, which differ in the number of blocks."""
    plan, maps, grams = gram_problem(run, STORAGE[storage], int(tile), packed == "true")
    stages = 1 if kind == "tensor_cores" else {64: 6, 128: 3}[plan.tile]
    shared_bytes = stages * {64: 1, 128: 2}[plan.tile] * plan.tile * 64
    for blocks in (plan.count,) if kind == "tensor_cores" else (plan.count, plan.count - 1):
        partials = run.device.allocate(4 * plan.images * plan.partials)
        run(name, (blocks,), scalars("QQ", partials, maps) + plan.work(), shared_bytes)
        values = run.device.get(partials, np.float32, plan.images * plan.partials)
        yield Result(plan.values(values), plan.expected(grams), *IN_FLOAT)


@case(r"gram_wgmma_kernel<(?P<storage>\w+), (?P<tile>\d+)>")
def gram_wgmma(run: Runner, name: str, storage: str, tile: str) -> Iterator[Result]:
    """Rung 13: more stages than there are, a tile for each block and a block with two."""
    plan, maps, grams = gram_problem(run, STORAGE[storage], int(tile), packed=True, pixels=60 if run.small else 500)
    boxes = tensor_map(maps, (plan.channels, plan.pixels, plan.images), (64, 64, 1))
    shared_bytes = {64: 6 * (64 * 128 + 16), 128: 3 * (4 * 64 * 128 + 16)}[plan.tile]
    for blocks in (plan.count,) if run.small else (plan.count, plan.count - 1):
        partials = run.device.allocate(4 * plan.images * plan.partials)
        run(name, (blocks,), scalars("Q", partials) + [boxes] + plan.work(), shared_bytes)
        values = run.device.get(partials, np.float32, plan.images * plan.partials)
        yield Result(plan.values(values), plan.expected(grams), *IN_FLOAT)


@case(r"gram_loss_mma_kernel<(?P<storage>\w+), (?P<tile>\d+), (?P<packed>true|false)>")
def gram_loss(run: Runner, name: str, storage: str, tile: str, packed: str) -> Iterator[Result]:
    """Rung 14: the blocks wait for each other and share the second stage."""
    plan, maps, grams = gram_problem(run, STORAGE[storage], int(tile), packed == "true")
    partials = run.device.allocate(4 * plan.images * plan.partials)
    stage = LossStage(run, plan.images, plan.channels, plan.pixels)
    shares = plan.tiles * plan.tile**2 // (2 * plan.tile * (4 if packed == "true" else 1))
    arguments = scalars("QQ", partials, maps) + plan.work() + stage.pack(partials, plan.tiles, plan.splits, shares)
    run(name, (plan.count,), arguments, {64: 6 * 64 * 64, 128: 3 * 2 * 128 * 64}[plan.tile])
    yield from stage.results(grams)


class LossStage:
    """The second stage of a gram_loss in one launch: its buffers, and what it should leave in them."""

    def __init__(self, run: Runner, images: int, channels: int, pixels: int):
        self.device, self.images, self.channels = run.device, images, channels
        self.scale = (1.0 / pixels, 0.5, 3.0)
        self.loss = run.device.allocate(4 * images)
        self.matrix = run.device.allocate(4 * images * channels**2)
        self.target = symmetric(run.random(channels, channels)).astype(np.float32)
        self.given = run.device.put(self.target)
        self.done = run.device.put(np.zeros(1, np.uint32))

    def pack(self, partials: int, tiles: int, splits: int, shares: int) -> List[bytes]:
        sums = self.device.allocate(8 * self.images * shares)
        losses = (self.loss, sums, self.done, self.scale[1])
        of_gram = (partials, self.channels, tiles, splits, 1)
        rest = (self.given, *self.scale, self.images, shares)
        return record("QQQd QQ Qqqqi4x Q3dii", *losses, self.matrix, 0, *of_gram, *rest)

    def results(self, grams: np.ndarray) -> Iterator[Result]:
        difference = self.scale[0] * grams - self.target.astype(np.float64)
        loss = self.device.get(self.loss, np.float32, self.images)
        yield Result(loss, self.scale[1] * (difference**2).sum((1, 2)), *IN_FLOAT)
        matrix = self.device.get(self.matrix, np.float32, difference.size)
        yield Result(matrix, self.scale[2] * difference.ravel(), *IN_FLOAT)


def rounded_matrix(of: Storage, matrix: np.ndarray) -> np.ndarray:
    """M as its products with 16-bit maps see it: columns scaled by powers of two, so that rounding to
    float16 keeps as many bits of a small coefficient as of a large one."""
    if of.name != "float16":
        return of.factor(of.round(matrix))
    scale = 2.0 ** (14 - np.floor(np.log2(np.abs(matrix).max(axis=-2, keepdims=True))))
    return of.round(matrix * scale) / scale


def joined(product: np.ndarray, held: np.ndarray, features: np.ndarray, accumulate: bool, mask: bool) -> np.ndarray:
    total = product + (held if accumulate else 0)
    return np.where(features > 0, total, 0) if mask else total


def launch_round_matrix(
    run: Runner, of: Storage, matrix: np.ndarray, narrow: bool = False, grouped: bool = False
) -> Tuple[int, int, int]:
    """The addresses of M as round_matrix_kernel stores it and of its scales, and how long its rows are. It is
    given M in float, or in bfloat16; its columns may be grouped, as wgmma's results are."""
    images, channels, _ = matrix.shape
    padded, rows = 8 * parts(channels, 8), images * channels
    stored, scales = run.device.allocate(of.bytes * rows * padded), run.device.allocate(4 * rows)
    given = run.device.put(STORAGE["bfloat16" if narrow else "float"].encode(matrix))
    arguments = scalars("QQ", stored, scales) + record("QQ", *((0, given) if narrow else (given, 0)))
    arguments += scalars("qii?", rows, channels, padded, grouped)
    run(f"round_matrix_kernel<{of.name}>", (parts(rows, 8),), arguments)
    return stored, scales, padded


@case(r"round_matrix_kernel<float>")
def round_matrix(run: Runner, name: str) -> Iterator[Result]:
    """One to eight values of a column for each lane."""
    for channels, narrow in ((37, False), (37, True), (229, False), (229, True)):
        matrix = symmetric(run.random(1, channels, channels)).astype(np.float32).astype(np.float64)
        matrix = STORAGE["bfloat16"].round(matrix) if narrow else matrix
        stored, scales, padded = launch_round_matrix(run, STORAGE["float"], matrix, narrow)
        rows = run.device.get(stored, np.float32, channels * padded).reshape(channels, padded).astype(np.float64)
        rows *= run.device.get(scales, np.float32, channels)[:, None]
        expected = np.pad(rounded(matrix[0], 10, away=True), ((0, 0), (0, padded - channels)))
        yield Result(rows, expected, 0, 0)


@case(r"style_backward_mma_kernel<(?P<storage>\w+), (?P<columns>\d+), (?P<packed>true|false)>")
def style_backward(run: Runner, name: str, storage: str, columns: str, packed: str) -> Iterator[Result]:
    """Rung 3, with M rounded by round_matrix_kernel: M resident in shared memory and not, two tiles for one
    block, sum and mask and neither."""
    of, width = STORAGE[storage], int(columns)
    edge = 0 if packed == "true" else 3
    for images, pixels, channels, epilogue in (
        (2, 140, width - edge, (True, True)),
        (1, 70, (width + 8 if width == 128 else 40) - edge, (False, False)),
    ):
        features = of.round(run.random(images, pixels, channels))
        held = of.round(run.random(images, pixels, channels) * 3)
        matrix = symmetric(run.random(images, channels, channels)).astype(np.float32)
        maps, grad = run.device.put(of.encode(features)), run.device.put(of.encode(held))
        stored, scales, padded = launch_round_matrix(run, of, matrix)
        slices = parts(channels, 64 // of.bytes)
        resident = slices * width * 64 <= 32 << 10
        arguments = scalars("QQ", grad, maps) + record("QQi4x", stored, scales, padded)
        arguments += scalars("qi?", pixels, channels, resident) + record("??", *epilogue)
        shared_bytes = 3 * 128 * 64 + (slices if resident else 3) * width * 64
        run(name, (1, parts(channels, width), images), arguments, shared_bytes)
        product = of.factor(features) @ rounded_matrix(of, matrix.astype(np.float64))
        expected = of.round(joined(product, held, features, *epilogue))
        actual = of.decode(run.device.get(grad, of.dtype, features.size)).reshape(features.shape)
        yield Result(actual, expected, *(IN_FLOAT if of.name == "float" else IN_16_BITS))


@case(r"style_backward_wgmma_kernel<(?P<storage>\w+), (?P<columns>\d+)>")
def style_backward_wgmma(run: Runner, name: str, storage: str, columns: str) -> Iterator[Result]:
    """Rung 4: M resident in shared memory and not, more stages than there are, two tiles for one block."""
    of, width = STORAGE[storage], int(columns)
    stages = 6 * width // 128
    for images, pixels, channels, epilogue in (
        (2, 300, width, (True, True)),
        (1, 140, 160, (False, False)),
    ):
        features = of.round(run.random(images, pixels, channels))
        held = of.round(run.random(images, pixels, channels) * 3)
        matrix = symmetric(run.random(images, channels, channels)).astype(np.float32)
        maps, grad = run.device.put(of.encode(features)), run.device.put(of.encode(held))
        stored, scales, padded = launch_round_matrix(run, of, matrix, grouped=True)
        slices = parts(channels, 64)
        resident = slices <= 2
        arguments = scalars("QQQ", grad, maps, scales)
        arguments.append(tensor_map(maps, (channels, pixels, images), (64, 128, 1)))
        arguments.append(tensor_map(stored, (padded, channels, images), (64, width, 1)))
        arguments += scalars("qi?", pixels, channels, resident) + record("??", *epilogue)
        shared_bytes = stages * 128 * 128 + (slices if resident else stages) * width * 128 + (2 * stages + 1) * 8
        run(name, (1, parts(channels, width), images), arguments, shared_bytes)
        product = of.factor(features) @ rounded_matrix(of, matrix.astype(np.float64))
        expected = of.round(joined(product, held, features, *epilogue))
        actual = of.decode(run.device.get(grad, of.dtype, features.size)).reshape(features.shape)
        yield Result(actual, expected, *IN_16_BITS)


def convolution(x: np.ndarray, filters: np.ndarray) -> np.ndarray:
    """3×3, zeros outside, of x (N,H,W,C) with filters (K,3,3,C)."""
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    height, width = x.shape[1:3]
    return sum(padded[:, r : r + height, s : s + width] @ filters[:, r, s].T for r in range(3) for s in range(3))


def convolve(
    run: Runner, of: Storage, launch: Callable[..., None], height: int, width: int, channels: int, to: int, ahead: bool
) -> Result:
    """What a kernel that `launch` starts makes of the pixels, in one direction or the other."""
    x, held, features = (of.round(run.random(1, height, width, count)) for count in (channels, to, to))
    filters = of.round(run.random(to, 3, 3, channels) / 16)
    bias = run.random(to).astype(np.float32)
    result, *given = (run.device.put(of.encode(part)) for part in (held, x, filters, features))
    pointers = (result, *given[:2], run.device.put(bias), 0) if ahead else (result, *given[:2], 0, given[2])
    sizes = (1, height, width, channels, to)
    work = record("5Q 5q 3? 5x", *pointers, *sizes, ahead, not ahead, not ahead)
    launch(work, given[0], height, width, channels, to)
    sums = convolution(x, filters)
    sums = np.maximum(sums + bias, 0) if ahead else joined(sums, held, features, True, True)
    actual = of.decode(run.device.get(result, of.dtype, held.size))
    return Result(actual, of.round(sums).ravel(), *IN_16_BITS)


@case(r"conv_tile::conv_mma_kernel<(?P<storage>\w+)>")
def conv(run: Runner, name: str, storage: str) -> Iterator[Result]:
    """Rung 2 in both directions: two slices of channels, two groups of them, edges of a tile."""

    def launch(work: List[bytes], x: int, height: int, width: int, channels: int, to: int) -> None:
        run(name, (parts(width, 16) * to // 64, parts(height, 16)), work, (18 * 18 + 3 * 64) * 64 * 2)

    for shape in ((5, 18, 128, 64, True), (3, 4, 64, 128, False)):
        yield convolve(run, STORAGE[storage], launch, *shape)


@case(r"conv_wgmma::conv_wgmma_kernel<(?P<storage>\w+), (?P<slices>\d+)>")
def conv_wgmma(run: Runner, name: str, storage: str, slices: str) -> Iterator[Result]:
    """Rung 3 in both directions: more stages than there are, tiles of both warpgroups, their edges."""

    def launch(work: List[bytes], x: int, height: int, width: int, channels: int, to: int) -> None:
        across = parts(width, 8)
        tiles = across * parts(height, 16)
        boxes = tensor_map(x, (channels, width, height), (64, 8, 18))
        barriers = {1: 6, 2: 4}[int(slices)]
        shared_bytes = int(slices) * 9 * 64 * 128 + barriers * (18 * 8 * 128 + 16)
        run(name, (1, to // 64), work + [boxes] + scalars("ii", across, tiles), shared_bytes)

    for shape in ((18, 12, 64 * int(slices), 64, True), (5, 20, 64 * int(slices), 128, False)):
        yield convolve(run, STORAGE[storage], launch, *shape)


@case(r"style_first_conv_kernel<(?P<storage>\w+)>")
def style_first_conv(run: Runner, name: str, storage: str) -> Iterator[Result]:
    """A tile and a bit more across."""
    of, height, width, channels = STORAGE[storage], 4, 35, 64
    features = of.round(run.random(1, height, width, channels))
    held = of.round(run.random(1, height, width, channels) * 3)
    matrix = symmetric(run.random(channels, channels)).astype(np.float32)
    weight = (run.random(channels, 3, 3, 3) / 8).astype(np.float32)
    grad, maps, wide, weights = (run.device.put(x) for x in (of.encode(held), of.encode(features), matrix, weight))
    result = run.device.allocate(4 * height * width * 3)
    arguments = scalars("QQQ", result, grad, maps) + record("QQ", wide, 0) + scalars("Q", weights)
    arguments += record("4q", 1, height, width, channels) + record("??", True, True)
    halo_pixels = 16 * parts(34 * 18, 16)
    shared_bytes = 2 * halo_pixels * 32 * 2 + 2 * 64 * 32 * 2 + 36 * 32 * 8 + 64 * 4
    run(name, (parts(width, 32), parts(height, 16)), arguments, shared_bytes)
    product = features @ rounded_matrix(of, matrix.astype(np.float64))
    gradient = of.round(joined(product, held, features, True, True))
    back = of.round(weight.astype(np.float64))[:, ::-1, ::-1].transpose(3, 1, 2, 0)  # (3,3,3,C)
    actual = run.device.get(result, np.float32, height * width * 3)
    yield Result(actual, convolution(gradient, back).ravel(), 1e-3, 1e-2)  # a rounded gradient may fall elsewhere


@case(r"first_conv_gram_loss_kernel<(?P<storage>\w+)>")
def first_conv_gram_loss(run: Runner, name: str, storage: str) -> Iterator[Result]:
    """Two tiles, of which the second has a few pixels."""
    of, height, width, channels = STORAGE[storage], 9, 35, 64
    pixels, mean = run.random(1, height, width, 3).astype(np.float32), np.array([0.5, -0.25, 0.125], np.float32)
    weight, bias = (run.random(*shape).astype(np.float32) for shape in ((channels, 3, 3, 3), (channels,)))
    given = [run.device.put(x) for x in (pixels, weight, bias)]
    y = run.device.allocate(2 * height * width * channels)
    tiles = parts(width, 32) * parts(height, 16)
    partials = run.device.allocate(4 * tiles * channels**2)
    stage = LossStage(run, 1, channels, height * width)
    arguments = scalars("QQQQQ", y, partials, *given) + [mean.tobytes()]
    arguments += record("4q", 1, height, width, channels) + record("4i", parts(width, 32), tiles, 1, tiles)
    arguments += stage.pack(partials, 1, tiles, channels**2 // (4 * 256))
    run(name, (tiles,), arguments, 8 * 32 * 64 * 2 + 16 * 256 * 4)
    sums = convolution((pixels - mean).astype(np.float64), weight.astype(np.float64)) + bias
    actual = of.decode(run.device.get(y, of.dtype, sums.size)).reshape(-1, channels)
    yield Result(actual.ravel(), of.round(np.maximum(sums, 0)).ravel(), *IN_16_BITS)
    yield from stage.results((actual.T @ actual)[None])


# ---- Damages


def exchanged(opcode: str, vectors: Tuple[int, ...], i: int, j: int) -> Change:
    """Exchanges two registers in some of the vectors of an instruction's operands."""

    def change_one(statement: re.Match) -> str:
        operands = re.findall(r"\{[^}]*\}|\[[^\]]*\]", statement.group(2))
        for k in vectors:
            registers = operands[k].strip("{}").split(",")
            registers[i], registers[j] = registers[j], registers[i]
            operands[k] = "{" + ",".join(registers) + "}"
        return f"{statement.group(1)} {', '.join(operands)};"

    return lambda text: re.sub(rf"({opcode}\S*) ([^;]*);", change_one, text)


def replaced(pattern: str, by) -> Change:
    return lambda text: re.sub(pattern, by, text)


def pairs(count: int) -> List[Tuple[int, int]]:
    return [(i, j) for i in range(count) for j in range(i + 1, count)]


def registers_exchanged(opcode: str, kind: str, i: int, j: int) -> Change:
    """Exchanges two of an instruction's registers of a kind, counted from its first one."""

    def change_one(statement: re.Match) -> str:
        parts = re.split(rf"(%{kind}\d+)", statement[0])
        parts[2 * i + 1], parts[2 * j + 1] = parts[2 * j + 1], parts[2 * i + 1]
        return "".join(parts)

    return lambda text: re.sub(rf"{opcode}[^;]*;", change_one, text)


# As mistakes in simt/ptx.hpp would be: nvcc copies inline assembly to PTX word by word.
DAMAGES: Dict[str, Change] = {
    **{f"mma: a[{i}] and a[{j}] exchanged": exchanged("mma.sync", (1,), i, j) for i, j in pairs(4)},
    **{f"mma: b[{i}] and b[{j}] exchanged": exchanged("mma.sync", (2,), i, j) for i, j in pairs(2)},
    **{
        f"mma: a[{i}] and b[{j}] exchanged": registers_exchanged(r"mma\.sync", "r", i, 4 + j)
        for i in range(4)
        for j in range(2)
    },
    **{f"mma: d[{i}] and d[{j}] exchanged": exchanged("mma.sync", (0, 3), i, j) for i, j in pairs(4)},
    **{
        f"mma: d[{i}] and d[{j}] exchanged where it is added to": exchanged("mma.sync", (3,), i, j) for i, j in pairs(4)
    },
    "mma: the other type of 16 bits": replaced(
        r"f32\.(b?)f16\.b?f16\.f32", lambda t: "f32.f16.f16.f32" if t.group(1) else "f32.bf16.bf16.f32"
    ),
    **{f"ldmatrix: registers {i} and {j} exchanged": registers_exchanged("ldmatrix", "r", i, j) for i, j in pairs(5)},
    "cp.async: address and size exchanged": registers_exchanged(r"cp\.async\.cg", "r", 0, 1),
    "ldmatrix: transposed or not, the other way round": replaced(
        r"\.x4(\.trans)?", lambda t: ".x4" if t.group(1) else ".x4.trans"
    ),
    "cp.async: a wait for a group less": replaced(r"wait_group (\d+)", lambda t: f"wait_group {int(t.group(1)) + 1}"),
    "cp.async: no wait": replaced(r"cp\.async\.wait_group \d+;", ""),
    "cp.async: no commit": replaced(r"cp\.async\.commit_group;", ""),
    "cp.async: 16 bytes where there are none": replaced(r"(cp\.async\.cg[^;]*), %r\d+;", r"\1, 16;"),
    "no barrier": replaced(r"bar\.sync \t0;", ""),
    "tf32: not rounded": replaced(r"cvt\.rna\.tf32\.f32 (%r\d+), (%f\d+)", r"mov.b32 \1, \2"),
}

OF_A_LOAD = ("tile", "x", "y", "z", "mbarrier")  # its 32-bit registers
# And in simt/ptx_sm90.hpp.
DAMAGES.update(
    {
        "mbarrier: address and arrivals exchanged": registers_exchanged(r"mbarrier\.init", "r", 0, 1),
        "mbarrier: address and bytes exchanged": registers_exchanged(r"mbarrier\.arrive\.expect_tx", "r", 0, 1),
        "mbarrier: address and parity exchanged": registers_exchanged(r"mbarrier\.try_wait", "r", 0, 1),
        "mbarrier: no wait": replaced(r"mbarrier\.try_wait\S* p, [^;]*;", "setp.eq.u32 p, 0, 0;"),
        **{
            f"TMA: {OF_A_LOAD[i]} and {OF_A_LOAD[j]} exchanged": registers_exchanged(r"cp\.async\.bulk", "r", i, j)
            for i, j in pairs(len(OF_A_LOAD))
        },
        **{
            f"wgmma: d[{i}] and d[{i + 1}] of {2 * count} columns exchanged": registers_exchanged(
                rf"wgmma\.mma_async\S*n{2 * count}k16", "f", i, i + 1
            )
            for count in (32, 64)
            for i in range(count - 1)
        },
        "wgmma: factors exchanged": registers_exchanged(r"wgmma\.mma_async", "rd", 0, 1),
        "wgmma: the other type": replaced(
            r"f32\.(b?)f16\.b?f16 ", lambda t: "f32.f16.f16 " if t.group(1) else "f32.bf16.bf16 "
        ),
        "wgmma: adds where it should not": replaced(r"setp\.ne\.b32 p, (%r\d+), 0;", r"setp.eq.b32 p, \1, 0;"),
        "wgmma: subtracts": replaced(", p, 1, 1, ", ", p, 1, -1, "),
        **{
            f"wgmma: {which} transposed or not, the other way round": replaced(
                rf"(, p, 1, 1{skipped}), (\d)", lambda t: f"{t.group(1)}, {1 - int(t.group(2))}"
            )
            for which, skipped in (("A", ""), ("B", r", \d"))
        },
        "wgmma: a wait for a group less": replaced(
            r"wgmma\.wait_group\.sync\.aligned (\d+)",
            lambda t: f"wgmma.wait_group.sync.aligned {int(t.group(1)) + 1}",
        ),
        **{
            f"{opcode.split('.')[0]}: no {opcode}": replaced(rf"{re.escape(opcode)}\b[^;]*;", "")
            for opcode in (
                "mbarrier.init",
                "mbarrier.arrive.shared",
                "mbarrier.arrive.expect_tx",
                "fence.mbarrier_init",
                "fence.proxy.async",
                "wgmma.fence",
                "wgmma.commit_group",
                "wgmma.wait_group",
            )
        },
    }
)
# The kernels that are damaged, and how.
DAMAGED = {
    "gram_pipeline_kernel<bfloat16, 64, true>": "",
    "gram_tensor_cores_kernel<float, 64, GramPlainSlice<float, 64>, true>": "",
    "style_backward_mma_kernel<float16, 64, true>": "ldmatrix|cp.async",
    # The factors of its tiles, all of which are diagonal, are the same.
    "gram_wgmma_kernel<bfloat16, 64>": "(?!wgmma: factors)",
    "gram_wgmma_kernel<bfloat16, 128>": r"wgmma: d\[",
    "style_backward_wgmma_kernel<float16, 64>": r"mbarrier|fence|TMA|wgmma: (?!d\[)",
    "conv_wgmma::conv_wgmma_kernel<float16, 1>": "fence",
}


# ---- The tests

LIBRARY: Library


def judge(name: str) -> str:
    """What is wrong with a kernel."""
    run = Runner(LIBRARY)
    try:
        complaints = [result.complaint() for result in run_case(run, name)]
    except PtxError as error:
        return str(error)
    kernel = run.kernels[name]
    idle = [step for step, executed in zip(kernel.statements, kernel.executed) if not executed]
    idle = [step for step in idle if re.match(ASSEMBLY, step.opcode) and not step.opcode.startswith(NOT_ALL_EXECUTED)]
    return "; ".join([*filter(None, complaints), *(f"never executed: {step}" for step in idle)])


def judge_damaged(name: str, damage: str) -> str:
    """What objects to a damaged kernel."""
    run = Runner(LIBRARY, name, DAMAGES[damage], small=damage.startswith("wgmma: d["))
    try:
        return "".join(result.complaint() for result in run_case(run, name))
    except PtxError as error:
        return str(error)


def source_of(op: str) -> Path:
    return ROOT / "kernels" / op / f"{op}.cu"


def with_included(file: Path) -> Set[Path]:
    """The file and what it includes of this project."""
    found, new = set(), {file}
    while new:
        found |= new
        names = [re.findall(r'^#include "([^"]+)"', path.read_text(encoding="utf-8"), re.MULTILINE) for path in new]
        new = {ROOT / name for of_one in names for name in of_one if (ROOT / name).exists()} - found
    return found


def has_assembly(file: Path) -> bool:
    return ROOT / "simt" / "ptx.hpp" in with_included(file)


class Kernels(unittest.TestCase):
    def setUp(self):
        self.pool = ProcessPoolExecutor(PROCESSES, get_context("fork"))
        self.addCleanup(self.pool.shutdown)

    def test_all_sources_with_assembly_are_compiled(self):
        sources = {file.stem for file in (ROOT / "kernels").glob("*/*.cu") if has_assembly(file)}
        self.assertEqual(sources, {*SOURCES, *IN_ANOTHER_SOURCE})
        for op, other in IN_ANOTHER_SOURCE.items():
            headers = {file for file in with_included(source_of(op)) - {source_of(op)} if has_assembly(file)}
            self.assertLessEqual(headers, with_included(source_of(other)))

    def test_they_compute_what_they_should(self):
        names = LIBRARY.with_assembly()
        for name, complaint in zip(names, self.pool.map(judge, names)):
            with self.subTest(name):
                self.assertEqual(complaint, "")

    def test_every_damage_is_noticed(self):
        damages = [
            (name, damage)
            for name, which in DAMAGED.items()
            for damage, change in DAMAGES.items()
            if re.match(which, damage) and change(LIBRARY.text(name)) != LIBRARY.text(name)
        ]
        self.assertEqual({damage for _, damage in damages}, set(DAMAGES))
        for (name, damage), objection in zip(damages, self.pool.map(judge_damaged, *zip(*damages))):
            with self.subTest(name, damage=damage):
                self.assertNotEqual(objection, "")


def main() -> int:
    global LIBRARY
    nvcc = shutil.which("nvcc")
    if nvcc is None:
        print("no nvcc on the path: what it makes of inline assembly was not executed", file=sys.stderr)
        return 77
    LIBRARY = Library(nvcc)
    return 0 if unittest.main(exit=False).result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
