# SPDX-License-Identifier: MIT
"""GPUs as their vendor states them. Nothing here was measured."""

from dataclasses import dataclass
from typing import Dict


@dataclass(frozen=True)
class Gpu:
    """Dense peak rates with sums in float, and bandwidth, as the vendor states them."""

    name: str
    sm: int
    teraflops: Dict[str, float]  # "fp32" without tensor cores
    bandwidth: float  # GB/s
    source: str

    def floor(self, flops: float, moved: float, precision: str) -> float:
        return max(flops / (1e12 * self.teraflops[precision]), moved / (1e9 * self.bandwidth))


def peaks(fp32: float, tf32: float, bf16: float) -> Dict[str, float]:
    return {"fp32": fp32, "tf32": tf32, "bf16": bf16}


GPUS = (
    Gpu("A100 80 GB SXM", 80, peaks(19.5, 156, 312), 2039, "NVIDIA A100 data sheet"),
    Gpu("H100 SXM", 90, peaks(66.9, 494.7, 989.4), 3350, "NVIDIA H100 data sheet"),
    Gpu("H200 SXM", 90, peaks(66.9, 494.7, 989.4), 4800, "NVIDIA H200 data sheet"),
    Gpu("RTX 4090", 89, peaks(82.6, 82.6, 165.2), 1008, "NVIDIA Ada architecture white paper"),
    Gpu("RTX 5090", 120, peaks(104.8, 104.8, 209.5), 1792, "NVIDIA RTX Blackwell white paper"),
)
