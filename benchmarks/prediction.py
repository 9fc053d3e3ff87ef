# SPDX-License-Identifier: MIT
"""How long a rung of the Gram ladder takes at least, given what it launches.

A roofline asks what the work needs and takes for granted that every multiprocessor (SM) has some of it and
that enough loads are under way. A rung with one block has neither. So for each launch:

    blocks per SM    what registers, shared memory and threads allow
    SMs at work      the share of them that has something to do, over all waves of blocks
    bytes under way  of the blocks that run at once; memory's bandwidth needs bandwidth x latency of them
                     (Little's law)
    time             what starting it takes, and the longest of memory, L2 cache, the SMs' path to L1 and
                     shared memory, and multiply-adds. A block that loads a slice, waits and multiplies it
                     does these one after the other: only other blocks of its SM fill the gaps.

It knows no instruction issue, no conflicts in the L2 cache and no wide requests to shared memory, which take several
passes, so a clock will show more. ladder_launches says what a rung launches, kernel_resources.py what the
compiler makes of it.
"""

import json
import math
import sys
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import context

sys.path.insert(0, str(context.REPOSITORY / "kernels"))
from kernel_resources import blocks_per_sm  # noqa: E402

LAUNCHES = context.results_folder() / "gram_launches.json"
RESOURCES = context.results_folder("nvcc") / "kernel_resources.json"
WIDTHS = {"bf16": 2, "fp32": 4}
TYPES = {"bf16": "bfloat16", "fp32": "float"}  # as the compiler names them


@dataclass(frozen=True)
class Gpu:
    """What a model needs to know of one. Rates are of the whole GPU, by second."""

    name: str
    devices: Tuple[str, ...]  # as CUDA names it: the same chip on another card has other clocks and memory
    architecture: str
    sms: int
    clock: float  # of the SMs
    bandwidth: float
    l2_bandwidth: float
    multiply_adds: Dict[str, float]  # FLOP/s by instruction
    latency: float = 0.7e-6  # of a load from memory
    launch: float = 1.5e-6  # of a kernel in a graph


# NVIDIA's data sheet of the H100 SXM5; mma.sync has 62 % of what wgmma has (Luo et al., "Benchmarking and
# Dissecting the Nvidia Hopper GPU Architecture via Microbenchmarking", 2024); L2: measured by others, 5.5 TB/s.
H100 = Gpu("H100 SXM5", ("NVIDIA H100 80GB HBM3",), "90a", 132, 1.755e9, 3.35e12, 5.5e12,
           {"fma": 59e12, "mma": 613e12, "wgmma": 989e12})  # fmt: skip
GPUS = (H100, replace(H100, name="H200 SXM5", devices=("NVIDIA H200",), bandwidth=4.8e12))


@dataclass(frozen=True)
class Kernel:
    """How a rung's first kernel is built."""

    instruction: str = "fma"
    tile: int = 0  # channels; 0: its side follows from the threads, two for a channel
    sums: int = 0  # of a thread, where these are not two
    triangle: bool = True  # whether tiles below the diagonal are left out
    slices: int = 1  # that its shared memory holds; 0: it loads from global memory as it multiplies
    widened: bool = False  # whether they are floats, whatever the map is stored in


KERNELS = {
    "gram_naive": Kernel(tile=1, triangle=False, slices=0),
    "gram_coalesced": Kernel(tile=1, triangle=False, slices=0),
    "gram_shared_tile": Kernel(tile=32, triangle=False, widened=True),
    "gram_register_tile": Kernel(tile=64, triangle=False, widened=True),
    "gram_upper_triangle": Kernel(tile=64, widened=True),
    "gram_split_pixels": Kernel(sums=16, widened=True),
    "gram_larger_register_tile": Kernel(widened=True),
    "gram_prefetch": Kernel(slices=2, widened=True),
    "gram_tensor_cores": Kernel("mma"),
    "gram_pipeline": Kernel("mma", slices=3),
    "gram_wgmma": Kernel("wgmma", slices=3),
}
UNROLLED = 4  # products of a loop whose loads nvcc puts first
STAGES_OF_SMALL_TILE = 6  # of gram_pipeline and gram_wgmma, whose tile of 64 has more


@dataclass(frozen=True)
class Launch:
    """One launch on a GPU, and what it is held up by."""

    blocks: int
    blocks_per_sm: int
    waves: float  # of blocks
    at_work: float  # share of the SMs
    under_way: float  # bytes in each SM
    seconds: float
    bound: str


@lru_cache(maxsize=None)
def compiled() -> List[Dict[str, Any]]:
    kernels = json.loads(RESOURCES.read_text(encoding="utf-8"))["kernels"]
    return [one for one in kernels if one["op"] == "gram"]


def resources(gpu: Gpu, kernel: str, threads: int, precision: str) -> Dict[str, int]:
    """Registers and static shared memory of the most demanding instance that loads packs of 16 bytes, where there
    are such."""
    own = [one for one in compiled() if one["architecture"] == gpu.architecture and one["threads"] == threads
           and one["kernel"].startswith(f"{kernel}_kernel<{TYPES[precision]}")]  # fmt: skip
    own = [one for one in own if not one["kernel"].endswith("false>")]
    return {key: max(one[key] for one in own) for key in ("registers", "shared_bytes")}


def tile_of(name: str, threads: int) -> int:
    """Channels along a tile's side; the warp of a block that loads for the others has no part of it."""
    kernel = KERNELS[name]
    return kernel.tile or (math.isqrt(kernel.sums * threads) if kernel.sums else threads // 64 * 64 // 2)


def first_launch(gpu: Gpu, row: Dict[str, Any], launch: Dict[str, Any]) -> Launch:
    """The launch that reads the feature map."""
    name, threads, blocks = launch["kernel"], launch["threads"], launch["blocks"]
    precision = row["name"].split("/")[3]
    kernel, own = KERNELS[name], resources(gpu, name, threads, precision)
    shared = launch["shared_bytes"] + own["shared_bytes"]
    per_sm = blocks_per_sm(gpu.architecture, threads, own["registers"], shared)
    at_once = per_sm * gpu.sms
    waves = blocks / at_once
    if waves > 1:
        at_work = waves / math.ceil(waves)
    else:
        at_work = blocks / (gpu.sms * math.ceil(blocks / gpu.sms))
    here = min(per_sm, math.ceil(blocks / gpu.sms))  # blocks in an SM that has any
    busy = min(1.0, blocks / gpu.sms)  # SMs that have any

    channels, pixels, width = row["channels"], row["pixels"], WIDTHS[precision]
    tile = tile_of(name, threads)
    side = -(-channels // tile)
    slices = STAGES_OF_SMALL_TILE if kernel.slices == 3 and tile == 64 else kernel.slices
    if slices:
        slice_bytes = shared / slices / (4 / width if kernel.widened else 1)
        under_way = here * slice_bytes * max(1, slices - 1)
    else:
        under_way = here * threads * 2 * UNROLLED * width
    done = (side + 1) / (2 * side) * (side * tile / channels) ** 2 if kernel.triangle else 1.0
    flops = 2.0 * channels**2 * pixels * done

    needed = gpu.bandwidth * gpu.latency / gpu.sms
    bandwidth = gpu.bandwidth * min(1.0, busy * under_way / needed, busy * gpu.sms * 64 * gpu.clock / gpu.bandwidth)
    loads = {"memory": channels * pixels * width / bandwidth}
    if slices:
        loads["L2"] = row["bytes_per_pixel"] * pixels / gpu.l2_bandwidth
    # L1 and shared memory of an SM serve 128 bytes in a cycle: a request or four sectors of it, or all banks once.
    passes = row["shared_passes_per_pixel"] + row["l1_passes_per_pixel"]
    sums = {"L1 and shared memory": passes * pixels / (gpu.sms * at_work * gpu.clock),
            "multiply-adds": flops / (gpu.multiply_adds[kernel.instruction] * at_work)}  # fmt: skip
    both = {**loads, **sums}
    bound = max(both, key=lambda one: both[one])
    seconds = both[bound]
    in_turns = (max(loads.values()) + max(sums.values())) / here
    if slices == 1 and in_turns > seconds:
        bound, seconds = "loads and products in turns", in_turns
    if busy < 1 or at_work < 0.5:
        bound = f"{bound}; {at_work:.0%} of the SMs"
    return Launch(blocks, per_sm, waves, at_work, under_way, gpu.launch + seconds, bound)


def second_launch(gpu: Gpu, first: Dict[str, Any]) -> float:
    """Seconds of the stage that adds partial sums: they are in the L2 cache, written and read once."""
    tile = tile_of(first["kernel"], first["threads"])
    return gpu.launch + 2 * 4 * first["blocks"] * tile * tile / gpu.l2_bandwidth


@dataclass(frozen=True)
class Prediction:
    first: Launch
    seconds: float  # of all launches


def predict(gpu: Gpu, path: Path = LAUNCHES) -> Dict[str, Prediction]:
    """By the name of the row that a clock would measure, without "/cold"."""
    found = {}
    for row in json.loads(path.read_text(encoding="utf-8"))["rows"]:
        if row["launches"][0]["kernel"] not in KERNELS:  # a rung that is new
            continue
        first = first_launch(gpu, row, row["launches"][0])
        seconds = first.seconds + sum(second_launch(gpu, row["launches"][0]) for _ in row["launches"][1:])
        found[row["name"]] = Prediction(first, seconds)
    return found


def gpu_of(device: str) -> Optional[Gpu]:
    """The one that a device is; what else is said of the device follows its name behind a comma."""
    return next((gpu for gpu in GPUS if device.split(",")[0] in gpu.devices), None)
