# SPDX-License-Identifier: MIT
"""Time over the side of the picture, throughput over the batch."""

from typing import Dict, List

from report import words
from report.html import figure
from report.lines import Line, line_chart
from report.machine import Machine
from report.work import WorkTable


def floor_of(machine: Machine, work: WorkTable, size: float, precision: str) -> float:
    roofs = machine.roofs
    steps = work.steps(int(size), precision).values()
    return sum(roofs.floor(flops, moved, precision) or 0.0 for flops, moved in steps)


def scaling(machine: Machine, work: WorkTable) -> str:
    """Where more than one size or batch was measured."""
    sides: Dict[str, Dict[int, float]] = {}
    batches: Dict[str, Dict[int, float]] = {}
    rows = machine.iterations()
    for row in rows:
        if row.parts.batch == 1:
            sides.setdefault(row.parts.precision, {})[row.parts.size] = row.seconds
    for race in machine.races:
        for one in race.contenders:
            if one.is_ours and race.batch == 1:
                sides.setdefault(one.precision, {}).setdefault(race.size, one.seconds)
    batched = {row.parts.size for row in rows if row.parts.batch > 1}
    shown = 512 if 512 in batched else max(batched, default=0)
    for row in rows:
        if row.parts.size == shown:
            rate = row.parts.batch / row.seconds
            batches.setdefault(row.parts.precision, {})[row.parts.batch] = rate
    drawings = ""
    lines: List[Line] = [(p, p, list(v.items())) for p, v in sides.items() if len(v) > 1]
    for precision, _, points in list(lines):
        floors = [(size, floor_of(machine, work, size, precision)) for size, _ in points]
        floors = [(size, value) for size, value in floors if value > 0]
        if len(floors) > 1:
            lines.append((f"{precision} floor", f"{precision} floorcurve", floors))
    if lines:
        chart = line_chart(
            lines, "ms per iteration", "side of the picture, pixels", "Scaling with size", scale=1e3
        )
        drawings += f'<div class="half"><h4>Time over size</h4>{chart}</div>'
    lines = [(p, p, list(v.items())) for p, v in batches.items() if len(v) > 1]
    if lines:
        chart = line_chart(
            lines, "image iterations per second", "batch", "Scaling with batch", show=words.digits
        )
        drawings += (
            f'<div class="half"><h4>Throughput over batch, {shown}×{shown}</h4>{chart}</div>'
        )
    if not drawings:
        return ""
    measured = rows[0].context if rows else machine.files[0].context
    return figure(
        "Scaling",
        f'<div class="pair">{drawings}</div>',
        "Median time of a whole iteration. Dashed: the floor, the work of the model over the "
        "measured ceilings; below it are fewer operations than were counted, as Winograd's. "
        f"{words.origin(measured)}.",
    )
