# SPDX-License-Identifier: MIT
"""Memory whose every byte knows whether it may be read, and shared memory that finds races."""

from typing import Dict, Sequence, Tuple

import numpy as np
from source import PtxError

# A block's shared memory and a launch's parameters lie elsewhere than global memory, so that an address
# alone says which of them it means, as a generic address does.
SHARED_BASE = 1 << 12
PARAMETER_BASE = 1 << 40
GLOBAL_BASE = 1 << 44


ABSENT, UNWRITTEN, WRITTEN, IN_FLIGHT = range(4)
COMPLAINTS = {
    ABSENT: "nothing is allocated there",
    UNWRITTEN: "nobody has written it",
    IN_FLIGHT: "a copy to it is still under way",
}


class Memory:
    """Bytes from `base` on, with a shadow that says what each byte is."""

    GAP = 64  # bytes between two allocations, so that an access beyond one meets nothing

    def __init__(self, name: str, base: int, size: int):
        self.name, self.base, self.size = name, base, size + self.GAP - size % self.GAP
        self.bytes = np.zeros(self.size, np.uint8)
        self.shadow = np.full(self.size, ABSENT, np.uint8)
        self.views: Dict[Tuple[int, int], Tuple[np.ndarray, np.ndarray]] = {}
        self.used = 0

    def allocate(self, size: int, align: int = 256) -> int:
        """The address of `size` new bytes, which nobody has written."""
        start = -(-self.used // align) * align
        if start + size > self.size:
            raise PtxError(f"{self.name} memory is full")
        self.shadow[start : start + size] = UNWRITTEN
        self.used = start + size + self.GAP
        return self.base + start

    def put(self, data: bytes, align: int = 256) -> int:
        address = self.allocate(len(data), align)
        start = address - self.base
        self.bytes[start : start + len(data)] = np.frombuffer(data, np.uint8)
        self.shadow[start : start + len(data)] = WRITTEN
        return address

    def get(self, address: int, size: int) -> bytes:
        """What the host reads back. Bytes that nobody has written are 255: NaN in every type."""
        start = address - self.base
        written = self.shadow[start : start + size] == WRITTEN
        return np.where(written, self.bytes[start : start + size], 255).astype(np.uint8).tobytes()

    def holds(self, address: int) -> bool:
        return self.base <= address < self.base + self.size

    def places(self, addresses: np.ndarray, size: int) -> np.ndarray:
        """Where accesses of `size` bytes begin, counted in `size` bytes."""
        offsets = addresses - self.base
        outside = (offsets < 0) | (offsets > self.size - size)
        if outside.any():
            raise PtxError(f"{self.name} address {addresses[outside][0]:#x}: {COMPLAINTS[ABSENT]}")
        misaligned = offsets % size != 0
        if misaligned.any():
            raise PtxError(f"{self.name} address {addresses[misaligned][0]:#x} is no multiple of {size}")
        return offsets // size

    def views_of(self, element: int, count: int) -> Tuple[np.ndarray, np.ndarray]:
        """The bytes and their shadow as vectors of `count` elements of so many bytes."""
        if (element, count) not in self.views:
            self.views[element, count] = tuple(
                array.view(f"u{element}").reshape(-1, count) for array in (self.bytes, self.shadow)
            )
        return self.views[element, count]

    def complain(self, addresses: np.ndarray, shadow: np.ndarray, allowed: Sequence[int]) -> None:
        """Raises for the first of the accesses whose bytes are not all as allowed."""
        each = shadow.view(np.uint8).reshape(len(addresses), -1)
        thread, byte = np.argwhere(~np.isin(each, allowed))[0]
        raise PtxError(f"{self.name} address {addresses[thread]:#x}: {COMPLAINTS[each[thread, byte]]}")

    def load(self, addresses: np.ndarray, element: int, count: int) -> np.ndarray:
        """(threads, count) values of `element` bytes."""
        at = self.places(addresses, element * count)
        values, shadow = self.views_of(element, count)
        found = shadow[at]
        if (found != int.from_bytes(bytes([WRITTEN]) * element, "little")).any():
            self.complain(addresses, found, [WRITTEN])
        return values[at]

    def store(self, addresses: np.ndarray, new: np.ndarray) -> None:
        """Stores (threads, count) values."""
        element, count = new.itemsize, new.shape[1]
        at = self.places(addresses, element * count)
        values, shadow = self.views_of(element, count)
        found = shadow[at].view(np.uint8)
        if ((found == ABSENT) | (found == IN_FLIGHT)).any():
            self.complain(addresses, found, [UNWRITTEN, WRITTEN])
        values[at] = new.view(f"u{element}")
        shadow[at] = int.from_bytes(bytes([WRITTEN]) * element, "little")


class SharedMemory(Memory):
    """That of a block, which also knows which warp last wrote and read each byte, and after how many
    barriers. Two warps race if both access a byte between the same two barriers, and one writes it.

    Inside a warp the order is that of the code: groups of lanes are not told apart."""

    NOBODY, SEVERAL = -1, -2

    def __init__(self, size: int):
        super().__init__("shared", SHARED_BASE, size)
        self.barriers = 0
        self.writer = np.full(self.size, self.NOBODY, np.int16)
        self.write_time = np.zeros(self.size, np.int32)
        self.reader = np.full(self.size, self.NOBODY, np.int16)
        self.read_time = np.zeros(self.size, np.int32)

    def _touched(self, addresses: np.ndarray, size: int) -> np.ndarray:
        return (addresses - self.base)[:, None] + np.arange(size)

    def note_read(self, addresses: np.ndarray, size: int, warps: np.ndarray) -> None:
        at, warp = self._touched(addresses, size), warps[:, None]
        writer = self.writer[at]
        race = (self.write_time[at] == self.barriers) & (writer != warp) & (writer != self.NOBODY)
        if race.any():
            self._complain("reads", addresses, race, "wrote", writer)
        others = (self.read_time[at] == self.barriers) & (self.reader[at] != warp)
        others &= self.reader[at] != self.NOBODY
        # Lanes of other warps that read the same byte with this very instruction count as well.
        self.reader[at] = warp
        others |= self.reader[at] != warp
        self.reader[at[others]] = self.SEVERAL
        self.read_time[at] = self.barriers

    def note_write(self, addresses: np.ndarray, size: int, warps: np.ndarray) -> None:
        at, warp = self._touched(addresses, size), warps[:, None]
        for who, when, did in ((self.writer, self.write_time, "wrote"), (self.reader, self.read_time, "read")):
            other = who[at]
            race = (when[at] == self.barriers) & (other != warp) & (other != self.NOBODY)
            if race.any():
                self._complain("writes", addresses, race, did, other)
        self.writer[at] = warp
        self.write_time[at] = self.barriers
        race = self.writer[at] != warp
        if race.any():
            self._complain("writes", addresses, race, "writes", self.writer[at])

    def _complain(self, does: str, addresses: np.ndarray, race: np.ndarray, did: str, who: np.ndarray) -> None:
        thread, byte = np.argwhere(race)[0]
        other = "several warps" if who[thread, byte] == self.SEVERAL else f"warp {who[thread, byte]}"
        raise PtxError(
            f"race: {does} shared address {addresses[thread] + byte:#x}, which {other} {did} "
            "with no barrier between them"
        )
