# SPDX-License-Identifier: MIT
"""How much several GPUs gain at one picture, as far as counts tell (docs/decisions/0033-strips-on-devices.md).

The time of an iteration is that of the GPU with the most rows:

    convolutions   forward and backward over its strip and the strip's halo: multiply-adds at a share of what the tensor
                   cores do, or the maps' bytes, whichever takes longer, layer by layer
    style          Gram matrices and their gradients, bound by the maps' bytes
    picture        total variation, of the whole picture on each GPU, and the optimiser, of the GPU's own rows
    border         handing rows over: each time a latency, and bytes over the link
    everything     sums of Gram matrices and of the optimiser, and the pixels of all other strips: the same

Nothing overlaps. The counts are exact; rates and latencies are of data sheets and of other people's measurements.
"""

from dataclasses import dataclass
from typing import Dict, Iterator, List, Sequence, Tuple

from prediction import H100

# VGG-19: channels of the convolutions before each pool.
BLOCKS = ((64, 64), (128, 128), (256,) * 4, (512,) * 4, (512,) * 4)
ACTIVATION = 2  # bytes: bf16
MASTER = 4


@dataclass(frozen=True)
class Link:
    """What a GPU sends and receives at the same time, in bytes and seconds."""

    name: str
    bandwidth: float
    latency: float = 10e-6  # of a call of NCCL


# Data sheets, four fifths of which NCCL's tests are seen to reach.
NVLINK = Link("NVLink 4", 0.8 * 450e9)
PCIE = Link("PCIe 5", 0.8 * 63e9)
# Of what the tensor cores do: cuDNN's convolutions of 256 and 512 channels in 16 bits.
CONVOLUTION_SHARE = 0.6


@dataclass(frozen=True)
class Task:
    """The losses of a preset, and its optimiser."""

    name: str
    style: Tuple[str, ...]
    content: str
    optimizer_values: int  # read or written for each value of the picture
    optimizer_sums: int = 0  # doubles that all devices add up


ADAM = 7
LBFGS = 4 * 10 + 6  # 10 pairs
LBFGS_SUMS = 3 * (2 * 11 + 1) + 2
COURSERA = Task("coursera, Adam", ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"), "conv4_2", ADAM)
TRAINED = Task("trained, L-BFGS", ("conv1_1", "conv2_1", "conv3_1", "conv4_1"), "conv4_2", LBFGS, LBFGS_SUMS)


@dataclass(frozen=True)
class Layer:
    name: str
    channels: Tuple[int, int]  # in and out
    stride: int  # of its map

    @property
    def pools(self) -> bool:
        return self.name.startswith("pool")


def layers(task: Task) -> List[Layer]:
    """Down to the deepest that the losses look at."""
    every: List[Layer] = []
    channels, stride = 3, 1
    for block, widths in enumerate(BLOCKS, 1):
        for i, width in enumerate(widths, 1):
            every.append(Layer(f"conv{block}_{i}", (channels, width), stride))
            channels = width
        stride *= 2
        every.append(Layer(f"pool{block}", (channels, channels), stride))
    last = max(i for i, layer in enumerate(every) if layer.name in (*task.style, task.content))
    return every[:last + 1]


def handovers(task: Task) -> Iterator[Layer]:
    """Layers behind which neighbours hand their rows over, as host/engine/tiling.cpp plans it."""
    every = layers(task)
    halo = every[-1].stride
    left, before = halo, every[0]
    for layer in every:
        needs = 0 if layer.pools else 1
        if left < needs:
            yield before
            left = halo // before.stride
        left -= needs
        if layer.pools:
            left //= 2
        before = layer


@dataclass(frozen=True)
class Iteration:
    """Seconds by what they are spent on."""

    parts: Dict[str, float]

    @property
    def seconds(self) -> float:
        return sum(self.parts.values())


def convolutions(task: Task, pixels: float) -> float:
    seconds = 0.0
    for layer in layers(task):
        area = pixels / layer.stride**2
        before = pixels / layer.stride**2 * (4 if layer.pools else 1)
        moved = ACTIVATION * (layer.channels[0] * before + layer.channels[1] * area)
        # Forward reads and writes a map each; backward their gradients, and the input's map for the mask.
        moved = 2 * moved + ACTIVATION * layer.channels[0] * before
        flop = 0 if layer.pools else 2 * 2 * 9 * layer.channels[0] * layer.channels[1] * area
        seconds += max(moved / H100.bandwidth, flop / (CONVOLUTION_SHARE * H100.multiply_adds["wgmma"]))
    return seconds


def style(task: Task, pixels: float) -> float:
    """F is read for G, and for F·M, which is added to a gradient; the crops of a strip move two maps more."""
    moved = sum(4 * ACTIVATION * layer.channels[1] * pixels / layer.stride**2
                for layer in layers(task) if layer.name in task.style)  # fmt: skip
    return moved / H100.bandwidth


def picture(task: Task, pixels: float, own_pixels: float) -> float:
    gradient = 3  # total variation reads two values and adds to one
    return 3 * MASTER * (task.optimizer_values * own_pixels + gradient * pixels) / H100.bandwidth


def iteration(task: Task, side: int, gpus: int, link: Link) -> Iteration:
    """Of a square picture."""
    pixels = float(side) ** 2
    halo = layers(task)[-1].stride
    rows = -(-(side // halo) // gpus) * halo if gpus > 1 else side
    neighbours = min(gpus - 1, 2)
    seen = float(rows + neighbours * halo) * side
    own = float(rows) * side
    parts = {"convolutions": convolutions(task, seen), "style": style(task, own), "picture": picture(task, pixels, own)}
    if gpus > 1:
        border = 0.0
        for layer in handovers(task):  # forward and backward
            border += 2 * (link.latency + ACTIVATION * layer.channels[1] * (halo // layer.stride) * side / layer.stride
                           * neighbours / link.bandwidth)  # fmt: skip
        border += link.latency + MASTER * 3 * halo * side * neighbours / link.bandwidth
        sums = sum(MASTER * layer.channels[1] ** 2 for layer in layers(task) if layer.name in task.style)
        strip = MASTER * 3 * pixels / gpus
        meetings = 4 if task.optimizer_sums else 3
        parts["border"] = border
        sums += 8 * task.optimizer_sums
        parts["everything"] = meetings * link.latency + (gpus - 1) * (sums + strip) / link.bandwidth
    return Iteration(parts)


def efficiency(task: Task, side: int, gpus: int, link: Link) -> float:
    """The gain over one GPU, by the number of them."""
    return iteration(task, side, 1, link).seconds / (gpus * iteration(task, side, gpus, link).seconds)


def lost_most(task: Task, side: int, gpus: int, link: Link) -> str:
    """What takes longest of all that more GPUs do not divide."""
    whole, part = iteration(task, side, 1, link).parts, iteration(task, side, gpus, link).parts
    lost = {name: seconds - whole.get(name, 0) / gpus for name, seconds in part.items()}
    return max(lost, key=lost.__getitem__)


SPOKEN = {"convolutions": "the halo", "picture": "total variation", "border": "the borders", "everything": "the picture's way",
          "style": "the style"}  # fmt: skip


def efficiency_rows(sides: Sequence[int] = (2048, 4096, 8192, 16384), gpus: Sequence[int] = (2, 4, 8)) -> List[List[str]]:
    """A row for each task, link and side: milliseconds on one GPU, and the efficiency of several."""
    table = []
    for task in (COURSERA, TRAINED):
        for link in (NVLINK, PCIE):
            for side in sides:
                row = [f"{task.name}, {link.name}, {side}²", f"{1e3 * iteration(task, side, 1, link).seconds:.1f}"]
                row += [f"{efficiency(task, side, count, link):.0%}" for count in gpus]
                table.append([*row, SPOKEN[lost_most(task, side, gpus[-1], link)]])
    return table
