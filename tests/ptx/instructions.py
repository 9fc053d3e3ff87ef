# SPDX-License-Identifier: MIT
"""What each instruction does to a block, as NVIDIA's "Parallel Thread Execution ISA", release 8.7, says.

An instruction is a function that translates its operands, registered under its whole opcode: what is not
in the table is not known.
"""

from __future__ import annotations

import ctypes
import re
from typing import TYPE_CHECKING, Callable, Dict, List, NamedTuple, Sequence, Tuple

import numpy as np
from memory import ABSENT, IN_FLIGHT, UNWRITTEN, WRITTEN
from source import TYPES, PtxError

if TYPE_CHECKING:
    from interpreter import Block, Kernel, Mask, Read, Run

WARP = 32
FULL_MASK = 0xFFFFFFFF
YIELDS = {"ld.acquire.gpu.u32"}  # a block that waits for others looks again and again
INSTRUCTIONS: Dict[str, Callable[[Kernel, Tuple[str, ...]], Run]] = {}


def instruction(*opcodes: str):
    """Registers what translates these opcodes: f(opcode, kernel, operands)."""

    def register(translate):
        for opcode in opcodes:
            INSTRUCTIONS[opcode] = lambda kernel, operands, opcode=opcode: translate(opcode, kernel, operands)
        return translate

    return register


def thread_by_thread(opcode: str, result: str, sources: Sequence[str], compute: Callable[..., np.ndarray]) -> None:
    """An instruction whose result in a thread depends on that thread's registers alone."""

    def translate(kernel: Kernel, operands: Tuple[str, ...]) -> Run:
        write = kernel.write(operands[0], result)
        if len(operands) != 1 + len(sources):
            raise PtxError(f"it has {len(operands)} operands, not {1 + len(sources)}")
        reads = [kernel.read(operand, kind) for operand, kind in zip(operands[1:], sources)]
        return lambda block, mask: write(block, mask, compute(*(read(block, mask) for read in reads)))

    INSTRUCTIONS[opcode] = translate


def divide(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Rounds to zero, where NumPy rounds down."""
    if a.dtype.kind == "u":
        return a // b
    quotient = np.abs(a.astype(np.int64)) // np.abs(b.astype(np.int64))
    return np.where((a < 0) != (b < 0), -quotient, quotient).astype(a.dtype)


def high_half(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    wide = np.dtype(f"{a.dtype.kind}{2 * a.dtype.itemsize}")
    return (a.astype(wide) * b.astype(wide) >> 8 * a.dtype.itemsize).astype(a.dtype)


def shift_left(a: np.ndarray, by: np.ndarray) -> np.ndarray:
    """Amounts beyond the width count as the width."""
    bits = 8 * a.dtype.itemsize
    return np.where(by < bits, a << np.minimum(by, bits - 1).astype(a.dtype), 0).astype(a.dtype)


def shift_right(a: np.ndarray, by: np.ndarray) -> np.ndarray:
    bits = 8 * a.dtype.itemsize
    shifted = a >> np.minimum(by, bits - 1).astype(a.dtype)
    return shifted if a.dtype.kind == "i" else np.where(by < bits, shifted, 0).astype(a.dtype)


def insert_bits(a: np.ndarray, b: np.ndarray, position: np.ndarray, length: np.ndarray) -> np.ndarray:
    """bfi: `length` bits of a from b's bit `position` on."""
    field = shift_left(shift_left(np.ones_like(a), length) - a.dtype.type(1), position)
    return shift_left(a, position) & field | b & ~field


def fma_f32(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Rounded once. The product is exact in double; the sum is rounded to odd there, so that rounding it
    again gives what rounding once gives (Boldo & Melquiond 2008)."""
    product, c = a.astype(np.float64) * b.astype(np.float64), c.astype(np.float64)
    total = product + c
    other = total - product
    rest = (product - (total - other)) + (c - other)
    even = total.view(np.int64) & 1 == 0
    towards = np.where((rest > 0) == (total > 0), 1, -1)
    odd = (total.view(np.int64) + np.where(even & (rest != 0) & np.isfinite(total), towards, 0)).view(np.float64)
    return odd.astype(np.float32)


def fma_f64(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """The C library's, a value at a time."""
    return np.frompyfunc(_FMA, 3, 1)(a, b, c).astype(np.float64)


_FMA = ctypes.CDLL("libm.so.6").fma
_FMA.restype, _FMA.argtypes = ctypes.c_double, [ctypes.c_double] * 3


def to_bfloat16(value: np.ndarray) -> np.ndarray:
    """To nearest, ties to even."""
    bits = value.view(np.uint32)
    rounded = bits + 0x7FFF + (bits >> 16 & 1) >> 16
    return np.where(np.isnan(value), 0x7FFF, rounded).astype(np.uint16)


def to_tf32(value: np.ndarray) -> np.ndarray:
    """Ten bits of fraction; to nearest, ties away from zero."""
    bits = value.view(np.uint32)
    rounded = np.where(np.isinf(value), bits, bits + 0x1000 & 0xFFFFE000)
    return np.where(np.isnan(value), 0x7FFFFFFF, rounded).astype(np.uint32)


COMPARISONS = {
    "eq": np.equal,
    "ne": np.not_equal,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
}

for _kind in ("s16", "u16", "s32", "u32", "s64", "u64", "f32", "f64"):
    thread_by_thread(f"add.{_kind}", _kind, [_kind] * 2, np.add)
    thread_by_thread(f"sub.{_kind}", _kind, [_kind] * 2, np.subtract)
    thread_by_thread(f"mov.{_kind}", _kind, [_kind], lambda a: a)
    thread_by_thread(f"neg.{_kind}", _kind, [_kind], np.negative)
    thread_by_thread(f"selp.{_kind}", _kind, [_kind, _kind, "pred"], lambda a, b, p: np.where(p, a, b))
    for _name, _compare in COMPARISONS.items():
        thread_by_thread(f"setp.{_name}.{_kind}", "pred", [_kind] * 2, _compare)
for _kind in ("s16", "u16", "s32", "u32", "s64", "u64"):
    thread_by_thread(f"mul.lo.{_kind}", _kind, [_kind] * 2, np.multiply)
    thread_by_thread(f"mad.lo.{_kind}", _kind, [_kind] * 3, lambda a, b, c: a * b + c)
    thread_by_thread(f"min.{_kind}", _kind, [_kind] * 2, np.minimum)
    thread_by_thread(f"max.{_kind}", _kind, [_kind] * 2, np.maximum)
    thread_by_thread(f"div.{_kind}", _kind, [_kind] * 2, divide)
    thread_by_thread(f"rem.{_kind}", _kind, [_kind] * 2, lambda a, b: a - divide(a, b) * b)
    thread_by_thread(f"shr.{_kind}", _kind, [_kind, "u32"], shift_right)
for _kind in ("s16", "u16", "s32", "u32"):
    _wide = f"{_kind[0]}{2 * int(_kind[1:])}"
    thread_by_thread(
        f"mul.wide.{_kind}", _wide, [_kind] * 2, lambda a, b, wide=_wide: a.astype(TYPES[wide]) * b.astype(TYPES[wide])
    )
    thread_by_thread(f"mul.hi.{_kind}", _kind, [_kind] * 2, high_half)
for _kind in ("b16", "b32", "b64", "pred"):
    thread_by_thread(f"and.{_kind}", _kind, [_kind] * 2, np.bitwise_and)
    thread_by_thread(f"or.{_kind}", _kind, [_kind] * 2, np.bitwise_or)
    thread_by_thread(f"xor.{_kind}", _kind, [_kind] * 2, np.bitwise_xor)
    thread_by_thread(f"not.{_kind}", _kind, [_kind], np.invert)
for _kind in ("b16", "b32", "b64"):
    thread_by_thread(f"shl.{_kind}", _kind, [_kind, "u32"], shift_left)
    thread_by_thread(f"selp.{_kind}", _kind, [_kind, _kind, "pred"], lambda a, b, p: np.where(p, a, b))
    for _name in ("eq", "ne"):
        thread_by_thread(f"setp.{_name}.{_kind}", "pred", [_kind] * 2, COMPARISONS[_name])
for _kind in ("b32", "b64"):
    thread_by_thread(f"bfi.{_kind}", _kind, [_kind, _kind, "u32", "u32"], insert_bits)
thread_by_thread("mov.pred", "pred", ["pred"], lambda a: a)
thread_by_thread("mul.f32", "f32", ["f32"] * 2, np.multiply)
thread_by_thread("mul.f64", "f64", ["f64"] * 2, np.multiply)
thread_by_thread("fma.rn.f32", "f32", ["f32"] * 3, fma_f32)
thread_by_thread("fma.rn.f64", "f64", ["f64"] * 3, fma_f64)
thread_by_thread("cvt.f64.f32", "f64", ["f32"], lambda a: a.astype(np.float64))
thread_by_thread("cvt.rn.f32.f64", "f32", ["f64"], lambda a: a.astype(np.float32))
thread_by_thread("cvt.f32.f16", "f32", ["f16"], lambda a: a.view(np.float16).astype(np.float32))
thread_by_thread("cvt.rn.f16.f32", "f16", ["f32"], lambda a: a.astype(np.float16).view(np.uint16))
thread_by_thread("cvt.rn.bf16.f32", "bf16", ["f32"], to_bfloat16)
thread_by_thread("cvt.rna.tf32.f32", "b32", ["f32"], to_tf32)
# Addresses of all spaces are generic addresses here.
thread_by_thread("cvta.to.global.u64", "u64", ["u64"], lambda a: a)
thread_by_thread("cvta.param.u64", "u64", ["u64"], lambda a: a)


_INTEGERS = [f"{kind}{bits}" for kind in "su" for bits in (8, 16, 32, 64)]


def register_kind(kernel: Kernel, register: str, kind: str) -> str:
    """A register of a conversion, a load or a store may be wider than the type there."""
    bits = kernel.bits(register)
    return kind if bits <= TYPES[kind].itemsize * 8 else f"{kind[0]}{bits}"


@instruction(*(f"cvt.{to}.{source}" for to in _INTEGERS for source in _INTEGERS))
def _convert(opcode: str, kernel: Kernel, operands: Tuple[str, ...]) -> Run:
    _, to, source = opcode.split(".")
    wide = register_kind(kernel, operands[0], to)
    write, read = kernel.write(operands[0], wide), kernel.read(operands[1], register_kind(kernel, operands[1], source))
    return lambda block, mask: write(
        block, mask, read(block, mask).astype(TYPES[source]).astype(TYPES[to]).astype(TYPES[wide])
    )


@instruction("mov.b16", "mov.b32", "mov.b64")
def _move_bits(opcode: str, kernel: Kernel, operands: Tuple[str, ...]) -> Run:
    """Also packs a vector into a register, and the other way round; the first element is the lowest."""
    kind = opcode[4:]
    to, source = kernel.vector(operands[0]), kernel.vector(operands[1])
    part = f"b{int(kind[1:]) // max(len(to), len(source))}"
    reads = [kernel.read(register, part if len(source) > 1 else kind) for register in source]
    writes = [kernel.write(register, part if len(to) > 1 else kind) for register in to]

    def run(block: Block, mask: Mask) -> None:
        values = [np.broadcast_to(read(block, mask), block.threads) for read in reads]
        whole = np.stack(values, axis=-1).view(TYPES[kind])
        pieces = np.ascontiguousarray(whole).view(TYPES[part if len(to) > 1 else kind]).reshape(block.threads, -1)
        for write, piece in zip(writes, pieces.T):
            write(block, mask, piece)

    return run


def access(opcode: str) -> Tuple[str, str, str]:
    """The space of a load or a store, the type of its values and that of its address."""
    space = re.search(r"shared|global|param|$", opcode).group() or "generic"
    return space, opcode.rsplit(".", 1)[1], "u32" if space == "shared" else "u64"


_SIZES = [f"{kind}{bits}" for kind in "sub" for bits in (8, 16, 32, 64)] + ["f32", "f64"]
_VECTORS = ("", ".v2", ".v4")


@instruction(
    *YIELDS,
    *(
        f"ld{space}{vector}.{kind}"
        for vector in _VECTORS
        for kind in _SIZES
        for space in ("", ".volatile", ".shared", ".global", ".volatile.global", ".param")
    ),
)
def _load(opcode: str, kernel: Kernel, operands: Tuple[str, ...]) -> Run:
    space, kind, address_kind = access(opcode)
    if space == "param" and operands[1].strip("[] ") in kernel.registers:  # the argument of an inlined call
        return INSTRUCTIONS[f"mov.{kind}"](kernel, (operands[0], operands[1].strip("[] ")))
    registers = kernel.vector(operands[0])
    kinds = [register_kind(kernel, register, kind) for register in registers]
    writes = [kernel.write(register, wide) for register, wide in zip(registers, kinds)]
    address = kernel.address(operands[1], address_kind)
    element = TYPES[kind].itemsize

    def run(block: Block, mask: Mask) -> None:
        threads = block.active(mask)
        values = block.load(space, address(block, mask)[threads], threads, element, len(writes)).view(TYPES[kind])
        for write, wide, column in zip(writes, kinds, values.T):
            if mask is not True:
                column, narrow = np.zeros(block.threads, TYPES[kind]), column
                column[threads] = narrow
            write(block, mask, column.astype(TYPES[wide]))

    return run


@instruction(
    *(f"st{space}{vector}.{kind}" for vector in _VECTORS for kind in _SIZES for space in ("", ".shared", ".global"))
)
def _store(opcode: str, kernel: Kernel, operands: Tuple[str, ...]) -> Run:
    space, kind, address_kind = access(opcode)
    address = kernel.address(operands[0], address_kind)
    registers = kernel.vector(operands[1])
    reads = [kernel.read(register, register_kind(kernel, register, kind)) for register in registers]

    def run(block: Block, mask: Mask) -> None:
        threads = block.active(mask)
        columns = [np.broadcast_to(read(block, mask), block.threads)[threads].astype(TYPES[kind]) for read in reads]
        block.store(space, address(block, mask)[threads], threads, np.stack(columns, axis=-1))

    return run


@instruction("st.param.b32", "st.param.b64")
def _argument(opcode: str, kernel: Kernel, operands: Tuple[str, ...]) -> Run:
    """Of a call, which was inlined: its parameter is a register."""
    return INSTRUCTIONS[f"mov.{opcode[9:]}"](kernel, (operands[0].strip("[] ").replace("+0", ""), operands[1]))


@instruction("atom.add.u32", "atom.global.add.u32", "atom.add.release.gpu.u32")
def _atomic_add(opcode: str, kernel: Kernel, operands: Tuple[str, ...]) -> Run:
    write, address = kernel.write(operands[0], "u32"), kernel.address(operands[1], "u64")
    read = kernel.read(operands[2], "u32")

    def run(block: Block, mask: Mask) -> None:
        old = np.zeros(block.threads, np.uint32)
        addresses, more = address(block, mask), np.broadcast_to(read(block, mask), block.threads)
        for thread in block.active(mask):
            own = addresses[thread : thread + 1]
            old[thread] = block.memory.load(own, 4, 1)[0, 0]
            block.memory.store(own, (old[thread] + more[thread]).reshape(1, 1))
        write(block, mask, old)

    return run


@instruction("membar.gl")
def _fence(opcode: str, kernel: Kernel, operands: Tuple[str, ...]) -> Run:
    """Accesses happen in the order of the code here anyway."""
    return lambda block, mask: None


@instruction("bar.warp.sync")
def _warp_barrier(opcode: str, kernel: Kernel, operands: Tuple[str, ...]) -> Run:
    members = kernel.read(operands[0], "u32")

    def run(block: Block, mask: Mask) -> None:
        block.whole_warps(mask)
        if (members(block, mask) != FULL_MASK).any():
            raise PtxError("only whole warps are known here")

    return run


@instruction("shfl.sync.bfly.b32")
def _shuffle(opcode: str, kernel: Kernel, operands: Tuple[str, ...]) -> Run:
    """Each lane gets the value of the lane whose number differs in the bits of the second operand."""
    to, valid = operands[0].split("|")
    write, write_valid = kernel.write(to, "b32"), kernel.write(valid, "pred")
    value, bits, segments, members = (kernel.read(operand, "b32") for operand in operands[1:])

    def run(block: Block, mask: Mask) -> None:
        threads = block.whole_warps(mask)
        known = (members(block, mask) == FULL_MASK) & (segments(block, mask) == WARP - 1)
        if not np.broadcast_to(known, block.threads)[threads].all():
            raise PtxError("only whole warps are known here")
        source = block.lanes ^ bits(block, mask).astype(np.int64)
        write(block, mask, value(block, mask)[source])
        write_valid(block, mask, np.ones(block.threads, bool))

    return run


# ---- Asynchronous copies: §9.7.9.25, "Asynchronous copy"
#
# Nothing arrives before the wait that guarantees it: bytes on their way can be neither read nor written,
# and what is copied is what the source holds at that wait.


class Copy(NamedTuple):
    """cp.async of some threads, each with its own: 16 bytes to `to`, `size` of them from `source`, then zeros."""

    threads: np.ndarray
    to: np.ndarray
    source: np.ndarray
    size: np.ndarray
    group: np.ndarray

    def of(self, which: np.ndarray) -> "Copy":
        return Copy(*(part[which] for part in self))


@instruction("cp.async.cg.shared.global")
def _copy(opcode: str, kernel: Kernel, operands: Tuple[str, ...]) -> Run:
    to, source = kernel.address(operands[0], "u32"), kernel.address(operands[1], "u64")
    if operands[2] != "16":
        raise PtxError("only copies of 16 bytes are known here")
    size = kernel.read(operands[3], "u32")

    def run(block: Block, mask: Mask) -> None:
        threads = block.active(mask)
        own = [
            np.broadcast_to(read(block, mask), block.threads)[threads].astype(np.int64) for read in (to, source, size)
        ]
        copy = Copy(threads, *own, block.committed[threads])
        if (copy.source % 16 != 0).any():
            raise PtxError(f"the source {copy.source[copy.source % 16 != 0][0]:#x} is no multiple of 16")
        if (copy.size > 16).any():
            raise PtxError(f"{copy.size.max()} bytes of 16 are to be copied")
        at = block.shared.places(copy.to, 16)
        shadow = block.shared.views_of(1, 16)[1]
        if np.isin(shadow[at], [ABSENT, IN_FLIGHT]).any():
            block.shared.complain(copy.to, shadow[at], [UNWRITTEN, WRITTEN])
        block.shared.note_write(copy.to, 16, block.warps[threads])
        shadow[at] = IN_FLIGHT
        block.copies.append(copy)

    return run


@instruction("cp.async.commit_group")
def _commit(opcode: str, kernel: Kernel, operands: Tuple[str, ...]) -> Run:
    def run(block: Block, mask: Mask) -> None:
        block.committed[block.active(mask)] += 1

    return run


@instruction("cp.async.wait_group")
def _wait(opcode: str, kernel: Kernel, operands: Tuple[str, ...]) -> Run:
    """Waits until at most so many of the thread's last groups are under way."""
    left = int(operands[0])

    def run(block: Block, mask: Mask) -> None:
        waits = np.zeros(block.threads, bool)
        waits[block.active(mask)] = True
        still = []
        for copy in block.copies:
            done = waits[copy.threads] & (copy.group < block.committed[copy.threads] - left)
            if done.any():
                _arrive(block, copy.of(done))
            if not done.all():
                still.append(copy.of(~done))
        block.copies = still

    return run


def _arrive(block: Block, copy: Copy) -> None:
    values = np.zeros((len(copy.to), 16), np.uint8)
    for size in np.unique(copy.size):
        if size:
            own = copy.size == size
            each = copy.source[own][:, None] + np.arange(size)
            values[own, :size] = block.memory.load(each.ravel(), 1, 1).reshape(-1, size)
    at = block.shared.places(copy.to, 16)
    data, shadow = block.shared.views_of(1, 16)
    data[at], shadow[at] = values, WRITTEN
    block.shared.note_write(copy.to, 16, block.warps[copy.threads])


# ---- Matrices of a warp: §9.7.14, "Warp Level Matrix Multiply-Accumulate Instructions"

LANE = np.arange(WARP)
GROUP, IN_GROUP = LANE >> 2, LANE % 4  # the ISA's groupID and threadID_in_group


@instruction("ldmatrix.sync.aligned.m8n8.x4.shared.b16", "ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16")
def _load_matrices(opcode: str, kernel: Kernel, operands: Tuple[str, ...]) -> Run:
    """§9.7.14.5.15: lanes 8i to 8i + 7 give the addresses of the rows of matrix i, 8 values each. Register i of a
    lane gets two neighbours of row lane / 4 of matrix i, the first in the lower half: those of columns
    2·(lane % 4) and the next; of the transposed matrix with .trans."""
    writes = [kernel.write(register, "b32") for register in kernel.vector(operands[0])]
    address = kernel.address(operands[1], "u32")

    def run(block: Block, mask: Mask) -> None:
        threads = block.whole_warps(mask)
        rows = block.load("shared", address(block, mask)[threads], threads, 2, 8)
        matrices = rows.reshape(-1, 4, 8, 8)  # warp, matrix, row, column
        if ".trans" in opcode:
            matrices = matrices.transpose(0, 1, 3, 2)
        pairs = np.ascontiguousarray(matrices).view(np.uint32)  # warp, matrix, row, pair of columns
        for i, write in enumerate(writes):
            values = np.zeros(block.threads, np.uint32)
            values[threads] = pairs[:, i, GROUP, IN_GROUP].ravel()
            write(block, mask, values)

    return run


class Fragment(NamedTuple):
    """Where a lane's elements lie in a matrix: row and column by element and lane."""

    rows: np.ndarray
    columns: np.ndarray

    def places(self, width: int) -> np.ndarray:
        """For each element, lane by lane: its place in a matrix of so many columns, row by row."""
        return (self.rows * width + self.columns).T.ravel()


def fragment(elements: int, row: Callable[[int], np.ndarray], column: Callable[[int], np.ndarray]) -> Fragment:
    return Fragment(np.array([row(i) for i in range(elements)]), np.array([column(i) for i in range(elements)]))


# §9.7.14.5.8, "Matrix Fragments for mma.m16n8k16 with floating point type": two elements share a register.
A_16 = fragment(
    8, lambda i: GROUP + (0 if i < 2 or 4 <= i < 6 else 8), lambda i: IN_GROUP * 2 + (i & 1) + (8 if i >= 4 else 0)
)
B_16 = fragment(4, lambda i: IN_GROUP * 2 + (i & 1) + (8 if i >= 2 else 0), lambda i: GROUP)
# §9.7.14.5.7, "Matrix Fragments for mma.m16n8k8", for .tf32: each has its own.
A_TF32 = fragment(4, lambda i: GROUP + (0 if i in (0, 2) else 8), lambda i: IN_GROUP + (0 if i < 2 else 4))
B_TF32 = fragment(2, lambda i: IN_GROUP + 4 * i, lambda i: GROUP)
# The accumulators of both.
C_F32 = fragment(4, lambda i: GROUP + (0 if i < 2 else 8), lambda i: IN_GROUP * 2 + (i & 1))


def from_tf32(bits: np.ndarray) -> np.ndarray:
    if (bits & 0x1FFF).any():
        raise PtxError("an operand was not rounded to tf32")
    return bits.view(np.float32)


def from_bfloat16(bits: np.ndarray) -> np.ndarray:
    return (bits.view(np.uint16).astype(np.uint32) << 16).view(np.float32)


def from_float16(bits: np.ndarray) -> np.ndarray:
    return bits.view(np.float16)


# K, where the elements of A and B lie, and their values.
PRODUCTS = {
    "m16n8k16.row.col.f32.bf16.bf16.f32": (16, A_16, B_16, from_bfloat16),
    "m16n8k16.row.col.f32.f16.f16.f32": (16, A_16, B_16, from_float16),
    "m16n8k8.row.col.f32.tf32.tf32.f32": (8, A_TF32, B_TF32, from_tf32),
}


@instruction(*(f"mma.sync.aligned.{shape}" for shape in PRODUCTS))
def _multiply(opcode: str, kernel: Kernel, operands: Tuple[str, ...]) -> Run:
    """D (16,8) = A (16,K) · B (K,8) + C, added in double and rounded once."""
    depth, a_fragment, b_fragment, values_of = PRODUCTS[opcode[len("mma.sync.aligned.") :]]
    a_order, b_order, c_order = map(np.argsort, (a_fragment.places(depth), b_fragment.places(8), C_F32.places(8)))
    writes = [kernel.write(register, "f32") for register in kernel.vector(operands[0])]
    reads = [
        [kernel.read(register, kind) for register in kernel.vector(operand)]
        for operand, kind in zip(operands[1:], ("b32", "b32", "f32"))
    ]

    def run(block: Block, mask: Mask) -> None:
        threads = block.whole_warps(mask)
        warps = len(threads) // WARP

        def registers(which: List[Read]) -> np.ndarray:
            """Warp, lane, register."""
            columns = [np.broadcast_to(read(block, mask), block.threads) for read in which]
            return np.stack(columns, axis=-1)[threads].reshape(warps, WARP, -1)

        a = values_of(registers(reads[0])).reshape(warps, -1)[:, a_order].reshape(warps, 16, depth)
        b = values_of(registers(reads[1])).reshape(warps, -1)[:, b_order].reshape(warps, depth, 8)
        c = registers(reads[2]).reshape(warps, -1)[:, c_order].reshape(warps, 16, 8)
        d = (a.astype(np.float64) @ b.astype(np.float64) + c).astype(np.float32)
        lanes = np.zeros((block.threads, 4), np.float32)
        lanes[threads] = d.reshape(warps, -1)[:, C_F32.places(8)].reshape(-1, 4)
        for i, write in enumerate(writes):
            write(block, mask, lanes[:, i])

    return run
