# SPDX-License-Identifier: MIT
"""Executes PTX, the assembly that nvcc makes of a CUDA kernel, on a CPU, and finds what it does wrong.

It knows the instructions of this project's kernels for sm_80, mma.sync, ldmatrix and cp.async among them, and
what those for sm_90a have besides (sm90.py).
What they mean is written here from NVIDIA's "Parallel Thread Execution ISA", release 8.7, and from nothing
else of this project. An instruction that it does not know is an error that names it.

The threads of a block are the places of NumPy arrays: a register is an array with a value for each thread.
Threads that branch apart become groups, each with its own place in the code. The group that is furthest
behind goes first, so that groups meet again where their paths do.

Errors, each with its instruction: an access outside of what is allocated, or misaligned; a read of a
register or of memory that nobody has written; an access to bytes that a copy is still under way to; a race
of two warps in shared memory; a barrier or an instruction of a whole warp that some threads do not reach.
"""

import re
from typing import Callable, Dict, Generator, Iterator, List, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np
import sm90
from instructions import FULL_MASK, INSTRUCTIONS, WARP, YIELDS, Copy
from memory import ABSENT, COMPLAINTS, GLOBAL_BASE, PARAMETER_BASE, SHARED_BASE, WRITTEN, Memory, SharedMemory
from source import TYPES, Function, PtxError, Statement

Mask = Union[bool, np.ndarray]  # True, or which threads


class Block:
    """The registers and the shared memory of a block."""

    def __init__(self, kernel: "Kernel", place: Tuple[int, int, int], launch: "Launch"):
        self.kernel, self.threads, self.memory = kernel, launch.threads, launch.memory
        self.parameters = launch.parameters
        self.lanes = np.arange(launch.threads)
        self.warps = self.lanes // WARP
        rows = {
            bits: np.zeros((count, launch.threads), f"u{bits // 8}") for bits, count in kernel.rows.items() if bits > 1
        }
        self.view = {
            kind: list(rows[dtype.itemsize * 8].view(dtype)) if dtype.itemsize > 1 else []
            for kind, dtype in TYPES.items()
        }
        self.view["pred"] = list(np.zeros((kernel.rows[1], launch.threads), bool))
        self.written = np.zeros((len(kernel.slots), launch.threads), bool)
        self.all_written = [False] * len(kernel.slots)
        self.shared = SharedMemory(kernel.shared_bytes + launch.shared_bytes)
        for size, align in kernel.shared.values():  # as the kernel has laid them out
            self.shared.allocate(size or launch.shared_bytes, align)
        self.special = {
            "%tid.x": self.lanes,
            "%tid.y": 0,
            "%tid.z": 0,
            "%ntid.x": launch.threads,
            "%ntid.y": 1,
            "%ntid.z": 1,
            "%envreg1": launch.grid_barrier >> 32,
            "%envreg2": launch.grid_barrier & FULL_MASK,
        }
        for axis, index, count in zip("xyz", place, launch.blocks):
            self.special[f"%ctaid.{axis}"], self.special[f"%nctaid.{axis}"] = index, count
        # cp.async: what each thread has started, and how many groups it has committed.
        self.copies: List[Copy] = []
        self.committed = np.zeros(launch.threads, np.int64)
        self.asynchronous = sm90.Asynchronous(-(-launch.threads // WARP))

    def active(self, mask: Mask) -> np.ndarray:
        return self.lanes if mask is True else np.flatnonzero(mask)

    def whole_warps(self, mask: Mask) -> np.ndarray:
        """The active threads; all lanes of a warp or none."""
        active = self.active(mask)
        if mask is not True:
            lanes = np.bincount(active // WARP)
            if ((lanes != 0) & (lanes != WARP)).any():
                raise PtxError("some lanes of a warp are elsewhere")
        return active

    def memory_of(self, space: str, addresses: np.ndarray) -> Memory:
        if space != "generic":
            return {"shared": self.shared, "global": self.memory, "param": self.parameters}[space]
        for memory in (self.shared, self.memory, self.parameters):
            if memory.holds(int(addresses[0])):
                return memory
        raise PtxError(f"generic address {addresses[0]:#x}: {COMPLAINTS[ABSENT]}")

    def load(self, space: str, addresses: np.ndarray, threads: np.ndarray, element: int, count: int) -> np.ndarray:
        memory = self.memory_of(space, addresses)
        values = memory.load(addresses, element, count)
        if memory is self.shared:
            memory.note_read(addresses, element * count, self.warps[threads])
        return values

    def store(self, space: str, addresses: np.ndarray, threads: np.ndarray, values: np.ndarray) -> None:
        memory = self.memory_of(space, addresses)
        memory.store(addresses, values)
        if memory is self.shared:
            memory.note_write(addresses, values.itemsize * values.shape[1], self.warps[threads])


Read = Callable[[Block, Mask], np.ndarray]
Write = Callable[[Block, Mask, np.ndarray], None]
Run = Callable[[Block, Mask], None]


class Slot(NamedTuple):
    """Where a register is."""

    number: int  # among all of the kernel
    bits: int
    row: int  # among those of its width


class Kernel:
    """A kernel, translated to functions on a block."""

    def __init__(self, source: Function):
        self.name = source.name
        self.registers = source.registers
        self.slots: Dict[str, Slot] = {}
        self.rows = {1: 0, 16: 0, 32: 0, 64: 0}
        self._lay_out(source)
        self.labels: Dict[str, int] = {}
        self.statements: List[Statement] = []
        for step in source.statements:
            if isinstance(step, str):
                self.labels[step] = len(self.statements)
            else:
                self.statements.append(step)
        self.executed = np.zeros(len(self.statements), bool)
        self.waits: Dict[Statement, Read] = {}  # which threads need not wait there any more
        self.code = [self._translate(step) for step in self.statements]
        self.guards = [self._guard(step.guard) for step in self.statements]
        self.meeting_points = set(self.labels.values())

    def _lay_out(self, source: Function) -> None:
        """The addresses of parameters and of the shared variables that the kernel names. That whose size
        the launch gives comes last."""
        self.parameters = source.parameters
        self.symbols: Dict[str, int] = {}
        self.parameter_bytes = 0
        for name, size, align in source.parameters:
            start = -(-self.parameter_bytes // align) * align
            self.symbols[name] = PARAMETER_BASE + start
            self.parameter_bytes = start + size
        words = {
            word
            for step in source.statements
            if isinstance(step, Statement)
            for operand in step.operands
            for word in re.findall(r"[\w$]+", operand)
        }
        named = [(name, size) for name, size in source.shared.items() if name in words]
        self.shared = dict(sorted(named, key=lambda variable: variable[1][0] == 0))
        probe = Memory("shared", SHARED_BASE, 1 << 20)
        for name, (size, align) in self.shared.items():
            self.symbols[name] = probe.allocate(size, align)
        self.shared_bytes = probe.used + Memory.GAP

    def _slot(self, name: str) -> Slot:
        if name not in self.slots:
            # The longest name first: that of an inlined function's register ends with a number and a point.
            prefix = max((p for p in self.registers if name.startswith(p)), key=len, default=None)
            if prefix is None:
                raise PtxError(f"{name} is no register that is known")
            bits = 1 if self.registers[prefix] == "pred" else TYPES[self.registers[prefix]].itemsize * 8
            self.slots[name] = Slot(len(self.slots), bits, self.rows[bits])
            self.rows[bits] += 1
        return self.slots[name]

    def bits(self, operand: str) -> int:
        """The width of a register; 0 for anything else."""
        return self._slot(operand).bits if operand.startswith("%") else 0

    def read(self, operand: str, kind: str) -> Read:
        """What yields an operand's values as this type."""
        dtype = TYPES[kind]
        if operand in SPECIAL:
            return lambda block, mask: np.broadcast_to(np.asarray(block.special[operand], dtype), block.threads)
        if operand.startswith("%") or operand in self.registers:
            number, bits, row = self._slot(operand)
            if bits != (1 if kind == "pred" else dtype.itemsize * 8):
                raise PtxError(f"{operand} is no register of type {kind}")

            def read(block: Block, mask: Mask) -> np.ndarray:
                if not block.all_written[number]:
                    written = block.written[number]
                    if not (written.all() if mask is True else written[mask].all()):
                        raise PtxError(f"nobody has written {operand}")
                return block.view[kind][row]

            return read
        constant = np.full(1, self._number(operand, dtype), dtype)
        return lambda block, mask: constant

    def _number(self, operand: str, dtype: np.dtype):
        symbol, _, offset = operand.partition("+")
        if symbol in self.symbols:
            return self.symbols[symbol] + int(offset or 0)
        if re.fullmatch(rf"0[fd][0-9a-fA-F]{{{2 * dtype.itemsize}}}", operand):
            return np.frombuffer(bytes.fromhex(operand[2:])[::-1], dtype)[0]
        if re.fullmatch(r"-?(\d+|0x[0-9a-fA-F]+)", operand) and dtype.kind in "iub":
            value = int(operand, 0)
            return bool(value) if dtype.kind == "b" else np.array(value & (1 << 64) - 1, np.uint64).astype(dtype)
        raise PtxError(f"{operand} is no operand that is known")

    def write(self, operand: str, kind: str) -> Write:
        """What stores values of this type in a register."""
        number, bits, row = self._slot(operand)
        if bits != (1 if kind == "pred" else TYPES[kind].itemsize * 8):
            raise PtxError(f"{operand} is no register of type {kind}")

        def write(block: Block, mask: Mask, values: np.ndarray) -> None:
            if mask is True:
                block.view[kind][row][...] = values
                block.all_written[number] = True
            else:
                np.copyto(block.view[kind][row], values, where=mask)
                if not block.all_written[number]:
                    block.written[number] |= mask

        return write

    def lanes_of(self, block: Block, register: str, lanes: slice) -> np.ndarray:
        """A register of floats, whether somebody has written it or not."""
        return block.view["f32"][self._slot(register).row][lanes]

    def mark(self, block: Block, registers: Sequence[str], lanes: slice, written: bool) -> None:
        """Says that these lanes' registers can be read, or that they cannot."""
        for register in registers:
            number = self._slot(register).number
            block.written[number] |= block.all_written[number]
            block.written[number][lanes] = written
            block.all_written[number] = bool(block.written[number].all())

    def vector(self, operand: str) -> List[str]:
        return re.split(r"\s*,\s*", operand.strip("{} ")) if operand.startswith("{") else [operand]

    def address(self, operand: str, kind: str) -> Read:
        """The addresses that "[register+offset]" or "[symbol+offset]" means, one for each thread."""
        parts = re.fullmatch(r"\[\s*([^\]+\s]+)\s*(?:\+\s*(-?\d+))?\s*\]", operand)
        base, offset = parts.group(1), int(parts.group(2) or 0)
        if base in self.symbols:
            constant = self.symbols[base] + offset
            return lambda block, mask: np.full(block.threads, constant, np.int64)
        read = self.read(base, kind)
        return lambda block, mask: read(block, mask).astype(np.int64) + offset

    def _guard(self, guard: Optional[str]) -> Optional[Read]:
        if guard is None:
            return None
        read = self.read(guard.lstrip("!"), "pred")
        return (lambda block, mask: ~read(block, mask)) if guard.startswith("!") else read

    def _translate(self, step: Statement) -> Optional[Run]:
        """None for what decides where threads go on, which run() does itself."""
        try:
            if step.opcode in BARRIERS and step.operands != ("0",):
                raise PtxError("only barrier 0 with all threads is known here")
            if step.opcode in CONTROL:
                return None
            if step.opcode in sm90.WAITS:
                self.waits[step] = sm90.ended(self, step.operands)
                return None
            if step.opcode not in INSTRUCTIONS:
                raise PtxError("this instruction is not known here")
            return INSTRUCTIONS[step.opcode](self, step.operands)
        except PtxError as error:
            raise PtxError(f"{self.name}: {step}: {error}") from None

    def run(self, block: Block) -> Iterator[None]:
        """Runs a block to its end. Yields where it waits for what other blocks do."""
        groups = {0: np.ones(block.threads, bool)}  # threads by their place in the code
        waiting: Dict[int, np.ndarray] = {}  # at a barrier
        parked: Dict[int, np.ndarray] = {}  # for a phase

        def go_on(at: int, threads: np.ndarray) -> None:
            if threads.any():
                groups[at] = groups[at] | threads if at in groups else threads

        def look(at: int, threads: np.ndarray) -> None:
            try:
                ended = self.waits[self.statements[at]](block, threads)
            except PtxError as error:
                raise self._error(at, str(error)) from None
            go_on(at + 1, ended)
            if (threads & ~ended).any():
                parked[at] = parked.get(at, False) | threads & ~ended

        while groups or waiting or parked:
            if not groups:
                for at in list(parked):
                    look(at, parked.pop(at))
                if groups or block.asynchronous.arrive_one(block):
                    continue
                if parked and not waiting:
                    at, threads = parked.popitem()
                    raise self._error(at, f"{threads.sum()} threads wait for ever")
                at, threads = waiting.popitem()
                if not threads.all():
                    raise self._error(at, f"only {threads.sum()} of the {block.threads} threads reach it")
                block.shared.barriers += 1
                go_on(at + 1, threads)
            at = min(groups)
            threads = groups.pop(at)
            at, taken = yield from self._run_straight(block, at, threads)
            opcode = self.statements[at].opcode
            if taken is None:  # others may have come here by another path
                go_on(at, threads)
            elif opcode in BARRIERS:
                waiting[at] = waiting[at] | taken if at in waiting else taken
            elif opcode in sm90.WAITS:
                look(at, taken)
            elif opcode in BRANCHES:
                go_on(self.labels[self.statements[at].operands[0]], taken)
            elif opcode == "trap" and taken.any():
                raise self._error(at, "a thread came here")
            if taken is not None:
                go_on(at + 1, threads & ~taken)
        block.asynchronous.end()

    def _run_straight(
        self, block: Block, at: int, threads: np.ndarray
    ) -> Generator[None, None, Tuple[int, Optional[np.ndarray]]]:
        """Runs a group until its threads may part or meet others: where that is, and which of them do what
        is said there; None if it is a label."""
        mask: Mask = True if threads.all() else threads
        start = at
        while True:
            if at != start and at in self.meeting_points:
                return at, None
            chosen, code = mask, self.code[at]
            try:
                if self.guards[at] is not None:
                    chosen = self.guards[at](block, mask) & mask  # a new array: the register may change
                if chosen is True or chosen.any():
                    self.executed[at] = True
                    if code is not None:
                        code(block, chosen)
                    elif self.statements[at].opcode in BARRIERS:
                        block.whole_warps(chosen)
            except PtxError as error:
                raise self._error(at, str(error)) from None
            if code is None:
                return at, threads if chosen is True else chosen
            if self.statements[at].opcode in YIELDS:
                yield
            at += 1

    def _error(self, at: int, message: str) -> PtxError:
        return PtxError(f"{self.name}: {self.statements[at]}: {message}")


SPECIAL = {f"%{name}.{axis}" for name in ("tid", "ntid", "ctaid", "nctaid") for axis in "xyz"} | {
    "%envreg1",
    "%envreg2",
}
BRANCHES = {"bra", "bra.uni"}
BARRIERS = {"bar.sync", "barrier.sync"}
CONTROL = {"ret", "trap"} | BRANCHES | BARRIERS


class Launch(NamedTuple):
    blocks: Tuple[int, int, int]
    threads: int
    shared_bytes: int
    memory: Memory
    parameters: Memory
    grid_barrier: int  # the address of what blocks that wait for each other count in


class Device:
    """Global memory, and what starts kernels on it."""

    MOST_WAITS = 1000  # of a block for others, before they count as lost

    def __init__(self, size: int = 1 << 24):
        self.memory = Memory("global", GLOBAL_BASE, size)

    def put(self, values: np.ndarray) -> int:
        return self.memory.put(np.ascontiguousarray(values).tobytes())

    def allocate(self, size: int) -> int:
        return self.memory.allocate(size)

    def get(self, address: int, dtype, count: int) -> np.ndarray:
        return np.frombuffer(self.memory.get(address, count * np.dtype(dtype).itemsize), dtype)

    def launch(
        self, kernel: Kernel, blocks: Tuple[int, ...], threads: int, arguments: Sequence[bytes], shared_bytes: int = 0
    ) -> None:
        """Runs it to the end. `arguments` are the parameters as bytes. Blocks run one after the other, and
        side by side where they wait for each other."""
        parameters = Memory("param", PARAMETER_BASE, kernel.parameter_bytes)
        sizes, given = [size for _, size, _ in kernel.parameters], [len(argument) for argument in arguments]
        if sizes != given:
            raise PtxError(f"{kernel.name} has parameters of {sizes} bytes, not of {given}")
        parameters.shadow[: kernel.parameter_bytes] = WRITTEN
        for (name, size, _), argument in zip(kernel.parameters, arguments):
            start = kernel.symbols[name] - PARAMETER_BASE
            parameters.bytes[start : start + size] = np.frombuffer(argument, np.uint8)
        x, y, z = (*blocks, 1, 1)[:3]
        launch = Launch((x, y, z), threads, shared_bytes, self.memory, parameters, self.put(np.zeros(2, np.uint32)))

        def start(place: int) -> Iterator[None]:
            yield from kernel.run(Block(kernel, (place % x, place // x % y, place // x // y), launch))

        running = [start(place) for place in range(x * y * z)]
        with np.errstate(all="ignore"):
            for _ in range(self.MOST_WAITS):
                running = [block for block in running if next(block, self) is not self]
                if not running:
                    return
        raise PtxError(f"{kernel.name}: {len(running)} blocks wait for ever")
