# SPDX-License-Identifier: MIT
"""Floors of one iteration on GPUs that were not measured, from the work model and data sheets.

A floor is the sum over all steps of the larger of FLOP / peak rate and bytes / peak bandwidth,
every map through memory. It predicts a bound and nobody's time.
"""

from typing import List

from report import rung_predictions, words
from report.bars import Bar, bar_chart
from report.data_sheets import GPUS, Gpu
from report.html import figure, table
from report.work import WorkTable

SHOWN_SIZE = 512
SIZES = (256, 512, 1024, 2048, 4096)
PRECISIONS = ("tf32", "bf16")


def sizes_of(work: WorkTable) -> List[int]:
    return [size for size in SIZES if size in work.sizes]


def seconds(gpu: Gpu, work: WorkTable, size: int, precision: str) -> float:
    steps = work.steps(size, precision).values()
    return sum(gpu.floor(flops, moved, precision) for flops, moved in steps)


def memory_share(gpu: Gpu, work: WorkTable, size: int, precision: str) -> float:
    """Of the floor, what the steps take whose bytes take longer than their FLOPs."""
    bound = 0.0
    for flops, moved in work.steps(size, precision).values():
        by_bytes = moved / (1e9 * gpu.bandwidth)
        if by_bytes >= flops / (1e12 * gpu.teraflops[precision]):
            bound += by_bytes
    return bound / seconds(gpu, work, size, precision)


def chart(work: WorkTable) -> str:
    bars: List[Bar] = []
    for gpu in GPUS:
        for precision in PRECISIONS:
            value = seconds(gpu, work, SHOWN_SIZE, precision)
            share = memory_share(gpu, work, SHOWN_SIZE, precision)
            cells = (f"≥ {words.time(value)}", f"{words.percent(share)} memory-bound")
            bars.append(
                Bar(f"{gpu.name}, {precision}", 1e3 * value, cells, f"predicted {precision}")
            )
    label = f"Predicted floors of one iteration at {SHOWN_SIZE}×{SHOWN_SIZE}"
    return bar_chart(bars, "ms per iteration, at least", label)


def header(work: WorkTable) -> List[str]:
    sizes = [f"{size}², at least" for size in sizes_of(work)]
    return ["GPU", "", *sizes, "peak TFLOP/s", "GB/s", "from"]


def rows(work: WorkTable) -> List[List[str]]:
    return [
        [
            gpu.name,
            precision,
            *(words.time(seconds(gpu, work, size, precision)) for size in sizes_of(work)),
            f"{gpu.teraflops[precision]:g}",
            f"{gpu.bandwidth:g}",
            gpu.source,
        ]
        for gpu in GPUS
        for precision in PRECISIONS
    ]


def section(work: WorkTable) -> str:
    return (
        '<section class="machine prediction"><h2>Predicted floors <span class="stamp">not measured'
        "</span></h2><p>Nothing in this section was measured. Each figure is arithmetic: "
        "over all steps of an iteration the sum of the larger of FLOP over peak rate and bytes "
        "over peak bandwidth, with peaks from data sheets. Sustained rates are lower, so a "
        "measured time will be above its floor, unless maps stay in the L2 cache: small ones "
        "may, and the memory-bound part of a floor counts them as if they went through memory.</p>"
        + figure(
            f"One iteration at {SHOWN_SIZE}×{SHOWN_SIZE}, the least it can take",
            chart(work),
            "Hatched and dashed: a prediction. Preset coursera, batch 1; work from "
            "benchmarks/results/model/work.json, which benchmarks/work_table.cpp prints.",
        )
        + table(header(work), rows(work), "predicted floors")
        + rung_predictions.ladders(work)
        + "</section>"
    )
