# SPDX-License-Identifier: MIT
"""The steps of an iteration below the roofs of the machine that ran them."""

from typing import Dict, List, Tuple

from report import words
from report.bars import FULL, HALF
from report.breakdown import by_run, shown_size, step_name, work_of
from report.html import colour_keys, figure
from report.machine import Machine
from report.rows import Row
from report.roofline import Point, panel
from report.work import KINDS, WorkTable, kind_of

ELEMENTWISE = ("style loss", "content loss and gradient", "total variation", "Adam")
HOLLOW = (
    "Hollow points stand above it: convolutions by Winograd's algorithm, counted as the direct "
    "ones they replace, and small maps that stay in a cache."
)
HOLLOW_ON_GPU = (
    "Hollow points stand above it: maps that stay in the L2 cache, fewer operations than are "
    "counted, or a mistake."
)


def short_label(kind: str, step: str) -> str:
    """ "3_1" within the panel of one kind, "style loss 3_1" or "2 back" where kinds share one."""
    layer, _, what = step.partition(" ")
    number = layer.replace("conv", "").replace("pool", "")
    if kind in ELEMENTWISE:
        return f"{what} {number}" if layer.startswith("conv") else step
    way = "back" if what == "backward" else what
    return f"{number} {way}" if layer.startswith("pool") else number


def step_point(row: Row, kind: str, flops: float, moved: float, roof: float) -> Point:
    rate, precision = flops / row.seconds, row.parts.precision
    mark = precision + (" over" if rate > roof else "")
    hint = f"{step_name(row)}: {words.time(row.seconds)}, {words.with_unit(rate, 'FLOP/s')}"
    return Point(short_label(kind, step_name(row)), flops / moved, rate, mark, hint)


def step_points(machine: Machine, work: WorkTable, size: int) -> Dict[Tuple[str, str], List[Point]]:
    """By panel and precision, in the order of KINDS."""
    roofs = machine.roofs
    groups: Dict[Tuple[str, str], List[Point]] = {}
    for kind, _ in KINDS:
        for row in machine.steps():
            flops, moved = work_of(row, work)
            if row.parts.size != size or kind_of(step_name(row)) != kind or not flops or not moved:
                continue
            roof = roofs.rate_at(flops / moved, row.parts.precision)
            if roof is None:
                continue
            title = "losses and pixels" if kind in ELEMENTWISE else kind
            point = step_point(row, kind, flops, moved, roof)
            groups.setdefault((title, row.parts.precision), []).append(point)
    return groups


def rooflines(machine: Machine, work: WorkTable) -> str:
    """A row of panels for each kind of step, a panel for each precision."""
    steps = machine.steps()
    if not steps:
        return ""
    size = shown_size(by_run(steps))
    rows_of_panels: Dict[str, List[str]] = {}
    groups = step_points(machine, work, size)
    precisions = {precision for _, precision in groups}
    width = (FULL - 40) / 3 if len(precisions) == 3 else HALF
    for (kind, precision), points in groups.items():
        rows_of_panels.setdefault(kind, []).append(
            f'<div class="half"><h4>{kind}{colour_keys([precision])}</h4>'
            f"{panel(f'{kind} in {precision}', points, machine.roofs, precision, width)}</div>"
        )
    if not rows_of_panels:
        return ""
    cls = "triple" if len(precisions) == 3 else "pair"
    hollow = HOLLOW_ON_GPU if machine.is_gpu else HOLLOW
    return figure(
        f"Rooflines of the steps at {size}×{size}",
        "".join(
            f'<div class="{cls}">{"".join(panels)}</div>' for panels in rows_of_panels.values()
        ),
        "Work of the model over measured time, against arithmetic intensity. The line is "
        f"measured too: the machine's copy bandwidth and its highest multiply-add rate. {hollow} "
        f"{words.origin(steps[0].context)}.",
    )
