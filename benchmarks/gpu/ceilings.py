#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the device can do at most, as PyTorch reaches it: one large copy, one large matrix product.

Prints JSON: bytes per second, read and written, and FLOP/s by precision. Random numbers: zeros are
faster.
"""

import argparse
import json
import time
from statistics import median
from typing import Callable

import torch

REPETITIONS = 15


def seconds(run: Callable[[], object], device: str) -> float:
    """The median of single runs, after two to warm up."""
    times = []
    for _ in range(REPETITIONS + 2):
        if device == "cuda":
            first, last = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            first.record()
            run()
            last.record()
            last.synchronize()
            times.append(first.elapsed_time(last) / 1000)
        else:
            start = time.perf_counter()
            run()
            times.append(time.perf_counter() - start)
    return median(times[2:])


def product_rate(precision: str, side: int, device: str) -> float:
    torch.set_float32_matmul_precision("high" if precision == "tf32" else "highest")
    types = {"bf16": torch.bfloat16, "fp16": torch.float16}
    a, b = (torch.randn(side, side, device=device) for _ in range(2))
    a, b = (matrix.to(types.get(precision, torch.float32)) for matrix in (a, b))
    return 2 * side**3 / seconds(lambda: torch.mm(a, b), device)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cuda")
    device = parser.parse_args().device
    side, count = (8192, 1 << 28) if device == "cuda" else (256, 1 << 20)
    precisions = ["fp32", "tf32", "bf16", "fp16"] if device == "cuda" else ["fp32", "bf16"]
    source = torch.randn(count, device=device)
    target = torch.empty_like(source)
    copied = 2 * source.numel() * source.element_size()
    report = {
        "measured_by": f"PyTorch {torch.__version__}: copy of {count} floats, products of {side}",
        "bytes_per_second": copied / seconds(lambda: target.copy_(source), device),
        "flops": {name: product_rate(name, side, device) for name in precisions},
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
