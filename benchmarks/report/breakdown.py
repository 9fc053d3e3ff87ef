# SPDX-License-Identifier: MIT
"""Where an iteration's time goes: each kind of step beside its floor."""

from typing import Dict, List, Tuple

from report import words
from report.bars import HALF, Bar, bar_chart
from report.html import figure
from report.machine import Machine
from report.names import PRECISIONS
from report.rows import Row
from report.work import WorkTable, floors_by_kind, kind_of

BELOW = (
    "A bar that ends before its floor does fewer operations than are counted (Winograd's "
    "convolution, counted as the direct one) or finds its data in a cache."
)
BELOW_ON_GPU = (
    "A bar that ends before its floor finds its data in the L2 cache, does fewer operations than "
    "are counted, or is a mistake."
)


def by_run(steps: List[Row]) -> Dict[Tuple[str, int], List[Row]]:
    """Steps of one precision and size."""
    found: Dict[Tuple[str, int], List[Row]] = {}
    for row in steps:
        found.setdefault((row.parts.precision, row.parts.size), []).append(row)
    order = {precision: i for i, precision in enumerate(PRECISIONS)}
    return dict(sorted(found.items(), key=lambda item: (item[0][1], order.get(item[0][0], 9))))


def step_name(row: Row) -> str:
    return row.parts.variant


def work_of(row: Row, work: WorkTable) -> Tuple[float, float]:
    """A step's FLOP and bytes: its own counters, or else the work model's."""
    if row.amount("flops") > 0 and row.amount("bytes") > 0:
        return row.amount("flops"), row.amount("bytes")
    return work.steps(row.parts.size, row.parts.precision).get(step_name(row), (0.0, 0.0))


def run_breakdown(machine: Machine, work: WorkTable, rows: List[Row]) -> str:
    """Bars of one precision and size, the longest first."""
    precision, size, roofs = rows[0].parts.precision, rows[0].parts.size, machine.roofs
    steps = {step_name(row): work_of(row, work) for row in rows}
    floors = floors_by_kind(steps, lambda flops, moved: roofs.floor(flops, moved, precision) or 0.0)
    sums: Dict[str, float] = {}
    for row in rows:
        kind = kind_of(step_name(row))
        sums[kind] = sums.get(kind, 0.0) + row.seconds
    total, floor = sum(sums.values()), sum(floors.values())
    bars = [
        Bar(
            kind,
            1e3 * value,
            (words.time(value), words.percent(value / total)),
            precision,
            floor=1e3 * floors[kind] if floors.get(kind) else None,
            hint=f"floor {words.time(floors[kind])}" if floors.get(kind) else "",
        )
        for kind, value in sorted(sums.items(), key=lambda item: -item[1])
    ]
    beside = f", floor {words.time(floor)}" if floor else ""
    if floor > total:
        beside = f"; with direct convolutions at least {words.time(floor)}"
    return (
        f'<div class="half"><h4 class="{precision}">{precision}, {size}×{size}: '
        f"{words.time(total)}{beside}</h4>"
        f"{bar_chart(bars, 'ms', f'Steps in {precision} at {size}', HALF)}</div>"
    )


def shown_size(runs: Dict[Tuple[str, int], List[Row]]) -> int:
    """512 where it was measured: the size that others are compared at."""
    sizes = {size for _, size in runs}
    return 512 if 512 in sizes else max(sizes)


def breakdown(machine: Machine, work: WorkTable) -> str:
    runs = by_run(machine.steps())
    if not runs:
        return ""
    shown, folded = "", ""
    for (_, size), rows in runs.items():
        drawing = run_breakdown(machine, work, rows)
        if size == shown_size(runs):
            shown += drawing
        else:
            folded += drawing
    others = (
        f'<details><summary>other sizes</summary><div class="pair">{folded}</div></details>'
        if folded
        else ""
    )
    origins = sorted({words.origin(rows[0].context) for rows in runs.values()})
    below = BELOW_ON_GPU if machine.is_gpu else BELOW
    return (
        figure(
            "Where an iteration's time goes",
            f'<div class="pair">{shown}</div>',
            "Each step timed where it stands in the iteration; share of the sum of all steps. "
            "The upright tick is the floor: work of the model over the measured ceilings of this "
            f"machine. {below} {'; '.join(origins)}.",
        )
        + others
    )
