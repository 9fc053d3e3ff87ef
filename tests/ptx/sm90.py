# SPDX-License-Identifier: MIT
"""The instructions that sm_90a adds, as NVIDIA's "Parallel Thread Execution ISA", release 8, says: barriers in shared
memory ("mbarrier"), loads of boxes of a tensor, by TMA ("cp.async.bulk.tensor"), and products of a warpgroup
("Asynchronous Warpgroup Level Matrix Instructions").

Whatever goes on beside the threads is done as late as it may be: a load when no thread can go on, a product when its
warp waits for it. Until then nothing else may touch the bytes of the one and the registers of the other.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TYPE_CHECKING, Dict, List, NamedTuple, Tuple

import numpy as np
from instructions import GROUP, IN_GROUP, WARP, Fragment, fragment, from_bfloat16, from_float16, instruction
from memory import ABSENT, IN_FLIGHT, UNWRITTEN, WRITTEN
from source import PtxError

if TYPE_CHECKING:
    from interpreter import Block, Kernel, Mask, Read, Run

# A thread stands there until the phase that it waits for has ended.
WAITS = {"mbarrier.try_wait.parity.shared::cta.b64"}


class Barrier:
    """An mbarrier object."""

    def __init__(self, arrivals: int, thread: int, time: int):
        self.arrivals = self.missing = arrivals
        self.bytes = 0  # announced and not yet there
        self.phases = 0  # that have ended
        self.maker, self.made_at = thread, time
        self.visible = False  # to TMA

    def end_if_complete(self) -> None:
        if self.missing == 0 and self.bytes == 0:
            self.missing = self.arrivals
            self.phases += 1


class Load(NamedTuple):
    """Of a box of a tensor, its innermost dimension first, to shared memory."""

    to: int
    tensor: int
    size: Tuple[int, ...]
    box: Tuple[int, ...]
    first: Tuple[int, ...]
    barrier: Barrier

    def places(self) -> np.ndarray:
        """Of the box's elements: rows of 128 bytes, whose chunks of 16 bytes are swizzled."""
        return swizzled(self.to + 2 * np.arange(np.prod(self.box)))


class Product(NamedTuple):
    """Of a warp: registers of D, by their place among the kernel's, in which it has 16 rows."""

    warp: int
    group: int
    registers: Tuple[str, ...]
    accumulate: bool
    a: np.ndarray  # (16,16), (N,16): where the factors lie
    b: np.ndarray
    sign: int
    element: str


class Asynchronous:
    """What a block has under way besides its threads."""

    def __init__(self, warps: int):
        self.barriers: Dict[int, Barrier] = {}
        self.loads: List[Load] = []
        self.products: List[Product] = []
        self.fenced = np.zeros(warps, bool)  # wgmma.fence
        self.committed = np.zeros(warps, np.int64)

    def barrier(self, block: Block, address: int, thread: int) -> Barrier:
        if address not in self.barriers:
            raise PtxError(f"shared address {address:#x}: there is no mbarrier")
        found = self.barriers[address]
        if thread // WARP != found.maker // WARP and block.shared.barriers == found.made_at:
            raise PtxError(f"race: thread {found.maker} makes the mbarrier, with no barrier between them")
        return found

    def arrive_one(self, block: Block) -> bool:
        """Completes a load; False if there is none."""
        if not self.loads:
            return False
        load = self.loads.pop(0)
        x, y, z = (first + np.arange(extent) for first, extent in zip(load.first, load.box))
        width, height, depth = load.size
        place = (z[:, None, None] * height + y[:, None]) * width + x
        inside = ((z >= 0) & (z < depth))[:, None, None] & ((y >= 0) & (y < height))[:, None] & ((x >= 0) & (x < width))
        values = np.zeros(place.shape, np.uint16)
        values[inside] = block.memory.load(load.tensor + 2 * place[inside], 2, 1)[:, 0]
        at = block.shared.places(load.places(), 2)
        data, shadow = block.shared.views_of(2, 1)
        data[at, 0], shadow[at, 0] = values.ravel(), WRITTEN * 0x101
        load.barrier.bytes -= 2 * values.size
        load.barrier.end_if_complete()
        return True

    def end(self) -> None:
        if self.loads or self.products:
            raise PtxError(f"the block ends, and nobody has waited for {(self.loads + self.products)[0]}")


def swizzled(addresses: np.ndarray) -> np.ndarray:
    """"Swizzling Modes", 128 bytes: the number of a chunk of 16 bytes in its row is changed by the row's last three
    bits."""
    return addresses ^ (addresses >> 7 & 7) << 4


# ---- Barriers in shared memory


@instruction("mbarrier.init.shared::cta.b64")
def _init(opcode: str, kernel: Kernel, operands: Tuple[str, ...]) -> Run:
    address, arrivals = kernel.address(operands[0], "u32"), kernel.read(operands[1], "u32")

    def run(block: Block, mask: Mask) -> None:
        addresses, counts = address(block, mask), np.broadcast_to(arrivals(block, mask), block.threads)
        for thread in block.active(mask):
            own = addresses[thread : thread + 1]
            if block.shared.views_of(8, 1)[1][block.shared.places(own, 8)].view(np.uint8).min() == ABSENT:
                raise PtxError(f"shared address {own[0]:#x}: nothing is allocated there")
            if int(own[0]) in block.asynchronous.barriers:
                raise PtxError(f"shared address {own[0]:#x}: there is an mbarrier already")
            made = Barrier(int(counts[thread]), thread, block.shared.barriers)
            block.asynchronous.barriers[int(own[0])] = made

    return run


@instruction("fence.mbarrier_init.release.cluster", "fence.proxy.async.shared::cta")
def _show_barriers(opcode: str, kernel: Kernel, operands: Tuple[str, ...]) -> Run:
    """TMA sees the barriers that the thread has made."""

    def run(block: Block, mask: Mask) -> None:
        threads = set(block.active(mask))
        for barrier in block.asynchronous.barriers.values():
            barrier.visible = barrier.visible or barrier.maker in threads

    return run


@instruction("mbarrier.arrive.shared::cta.b64", "mbarrier.arrive.expect_tx.shared::cta.b64")
def _arrive(opcode: str, kernel: Kernel, operands: Tuple[str, ...]) -> Run:
    """Announces the bytes that loads will bring in this phase, and arrives."""
    address = kernel.address(operands[1], "u32")
    expected = kernel.read(operands[2] if "expect_tx" in opcode else "0", "u32")

    def run(block: Block, mask: Mask) -> None:
        addresses, sizes = address(block, mask), np.broadcast_to(expected(block, mask), block.threads)
        for thread in block.active(mask):
            barrier = block.asynchronous.barrier(block, int(addresses[thread]), thread)
            if barrier.missing == 0:
                raise PtxError(f"more arrive than {barrier.arrivals}")
            barrier.bytes += int(sizes[thread])
            barrier.missing -= 1
            barrier.end_if_complete()

    return run


def ended(kernel: Kernel, operands: Tuple[str, ...]) -> Read:
    """For a wait: the threads whose phase, that of the given parity, has ended; they get a true predicate."""
    write, address = kernel.write(operands[0], "pred"), kernel.address(operands[1], "u32")
    parity = kernel.read(operands[2], "u32")

    def look(block: Block, mask: Mask) -> np.ndarray:
        done = np.zeros(block.threads, bool)
        addresses, parities = address(block, mask), np.broadcast_to(parity(block, mask), block.threads)
        for thread in block.active(mask):
            if parities[thread] > 1:
                raise PtxError(f"{parities[thread]} is no parity")
            barrier = block.asynchronous.barrier(block, int(addresses[thread]), thread)
            done[thread] = barrier.phases % 2 != parities[thread]
        write(block, done, done)
        return done

    return look


# ---- Loads


TENSOR_MAP = struct.Struct("<4Q3I84x")


def tensor_map(data: int, size: Tuple[int, int, int], box: Tuple[int, int, int]) -> bytes:
    """The 128 bytes are NVIDIA's affair; here they hold the address, the sizes and the box, innermost first, of a
    tensor of 2-byte values, rows of which have 128 bytes in shared memory and are swizzled."""
    assert data % 16 == 0 and 2 * size[0] % 16 == 0 and 2 * box[0] == 128
    return TENSOR_MAP.pack(data, *size, *box)


@instruction("cp.async.bulk.tensor.3d.shared::cluster.global.mbarrier::complete_tx::bytes")
def _load_box(opcode: str, kernel: Kernel, operands: Tuple[str, ...]) -> Run:
    tensor, *coordinates = operands[1].strip("[] ").replace("{", "").replace("}", "").replace(",", " ").split()
    to, map_at = kernel.address(operands[0], "u32"), kernel.address(f"[{tensor}]", "u64")
    first = [kernel.read(coordinate, "s32") for coordinate in coordinates]
    arrives_at = kernel.address(operands[2], "u32")

    def run(block: Block, mask: Mask) -> None:
        for thread in block.active(mask):

            def own(read: Read, thread: int = thread) -> int:
                return int(np.broadcast_to(read(block, mask), block.threads)[thread])

            packed = block.memory_of("generic", np.array([own(map_at)])).get(own(map_at), TENSOR_MAP.size)
            data, *extents = TENSOR_MAP.unpack(packed)
            barrier = block.asynchronous.barrier(block, own(arrives_at), thread)
            if not barrier.visible:
                raise PtxError("TMA does not see the mbarrier yet")
            if own(to) % 128 != 0:
                raise PtxError(f"shared address {own(to):#x} is no multiple of 128")
            load = Load(own(to), data, tuple(extents[:3]), tuple(extents[3:]), tuple(map(own, first)), barrier)
            at = block.shared.places(load.places(), 2)
            shadow = block.shared.views_of(2, 1)[1]
            if np.isin(shadow[at].view(np.uint8), [ABSENT, IN_FLIGHT]).any():
                block.shared.complain(load.places(), shadow[at], [UNWRITTEN, WRITTEN])
            shadow[at] = IN_FLIGHT * 0x101
            block.asynchronous.loads.append(load)

    return run


# ---- Products of a warpgroup


def factor(descriptor: int, lines: np.ndarray, transposed: bool) -> np.ndarray:
    """"Shared Memory Matrix Layout" and "Matrix Descriptor": where the 16 values of K of each line, a row of A or a
    column of B, lie. Rows of 128 bytes hold values along K; transposed, 64 lines at one k."""
    start, leading, stride = ((descriptor >> bit & 0x3FFF) << 4 for bit in (0, 16, 32))
    if descriptor >> 62 != 1 or descriptor & 0x3FFE_C000_C000_C000:
        raise PtxError(f"descriptor {descriptor:#x}: only swizzled rows of 128 bytes are known here")
    line, k = lines[:, None], np.arange(16)
    if transposed:
        return swizzled(start + line // 64 * leading + k // 8 * stride + k % 8 * 128 + line % 64 * 2)
    return swizzled(start + line // 8 * stride + line % 8 * 128 + k * 2)


@lru_cache(maxsize=None)
def accumulators(columns: int) -> Fragment:
    """The fragment of D of m64nNk16 ("Register Fragments"), of a warp's 16 rows."""
    return fragment(
        columns // 2, lambda i: GROUP + (8 if i % 4 >= 2 else 0), lambda i: i // 4 * 8 + IN_GROUP * 2 + (i & 1)
    )


VALUES = {"bf16": from_bfloat16, "f16": from_float16}


@instruction(*(f"wgmma.mma_async.sync.aligned.m64n{n}k16.f32.{t}.{t}" for n in (64, 128) for t in VALUES))
def _multiply(opcode: str, kernel: Kernel, operands: Tuple[str, ...]) -> Run:
    columns = int(opcode.split(".m64n")[1].split("k")[0])
    registers = tuple(kernel.vector(operands[0]))
    if len(registers) != columns // 2:
        raise PtxError(f"{len(registers)} registers, not {columns // 2}")
    descriptors = [kernel.read(operand, "u64") for operand in operands[1:3]]
    accumulate = kernel.read(operands[3], "pred")
    signs, transposed = [int(sign) for sign in operands[4:6]], [operand == "1" for operand in operands[6:8]]
    reads = [kernel.read(register, "f32") for register in registers]

    def run(block: Block, mask: Mask) -> None:
        threads = block.whole_warps(mask)
        state = block.asynchronous
        columns_of = [np.broadcast_to(read(block, mask), block.threads) for read in (*descriptors, accumulate)]
        for warp in np.unique(block.warps[threads]):
            lanes = slice(warp * WARP, (warp + 1) * WARP)
            a, b, adds = (column[lanes] for column in columns_of)
            if len(np.unique(a)) + len(np.unique(b)) + len(np.unique(adds)) > 3:
                raise PtxError("the lanes of a warp have different factors")
            if not state.fenced[warp]:
                raise PtxError("there is no wgmma.fence before it")
            before = [product for product in state.products if product.warp == warp]
            chained = any(product.registers == registers for product in before)
            if not chained and any(set(product.registers) & set(registers) for product in before):
                raise PtxError("its registers are those of several products under way")
            if adds[0] and not chained:
                own = np.isin(block.lanes, block.lanes[lanes])
                for read in reads:
                    read(block, own)  # raises if nobody has written it
            lines = (16 * (warp % 4) + np.arange(16), np.arange(columns))
            places = [factor(int(d[0]), line, t) for d, line, t in zip((a, b), lines, transposed)]
            group, element = int(state.committed[warp]), opcode.rsplit(".", 1)[1]
            state.products.append(
                Product(int(warp), group, registers, bool(adds[0]), *places, signs[0] * signs[1], element)
            )
            if not chained:
                kernel.mark(block, registers, lanes, written=False)

    return run


def complete(kernel: Kernel, block: Block, product: Product) -> None:
    """Added in double and rounded once."""
    a, b = (
        VALUES[product.element](block.shared.load(places.ravel(), 2, 1).view(np.uint16)).reshape(places.shape)
        for places in (product.a, product.b)
    )
    lanes = slice(product.warp * WARP, (product.warp + 1) * WARP)
    rows, columns = accumulators(len(b))
    values = product.sign * (a.astype(np.float64) @ b.astype(np.float64).T)[rows, columns]
    for register, value in zip(product.registers, values):
        d = kernel.lanes_of(block, register, lanes)
        d[...] = value + d if product.accumulate else value


@instruction("wgmma.fence.sync.aligned", "wgmma.commit_group.sync.aligned")
def _fence_or_commit(opcode: str, kernel: Kernel, operands: Tuple[str, ...]) -> Run:
    """A product behind a commit needs another fence here, which the ISA asks for only where other instructions have
    touched its registers."""
    fence = ".fence." in opcode

    def run(block: Block, mask: Mask) -> None:
        warps = np.unique(block.warps[block.whole_warps(mask)])
        block.asynchronous.fenced[warps] = fence
        block.asynchronous.committed[warps] += not fence

    return run


@instruction("wgmma.wait_group.sync.aligned")
def _wait(opcode: str, kernel: Kernel, operands: Tuple[str, ...]) -> Run:
    """Waits until at most so many of the warp's last groups are under way."""
    left = int(operands[0])

    def run(block: Block, mask: Mask) -> None:
        state = block.asynchronous
        for warp in np.unique(block.warps[block.whole_warps(mask)]):
            last = state.committed[warp] - left
            done = [p for p in state.products if p.warp == warp and p.group < last]
            state.products = [p for p in state.products if p.warp != warp or p.group >= last]
            for product in done:
                complete(kernel, block, product)
            under_way = {p.registers for p in state.products if p.warp == warp}
            for registers in {product.registers for product in done} - under_way:
                kernel.mark(block, registers, slice(warp * WARP, (warp + 1) * WARP), written=True)

    return run
