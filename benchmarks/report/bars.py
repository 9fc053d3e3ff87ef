# SPDX-License-Identifier: MIT
"""Horizontal bars: times beside their floors, ratios, shares of the roof, predictions."""

from dataclasses import dataclass
from typing import Dict, List, Optional, Sequence, Tuple

from report import words
from report.svg import Drawing, linear, text_width

ROW = 24
HALF, FULL = 530.0, 1080.0  # widths of figures
PREDICTED = "predicted"  # what such a time is called


@dataclass(frozen=True)
class Bar:
    label: str
    value: float
    cells: Tuple[str, ...]  # figures, each in a column at the right
    mark: str  # the class of its colour
    low: Optional[float] = None
    high: Optional[float] = None
    floor: Optional[float] = None
    hint: str = ""


def round_ticks(high: float, count: int = 5) -> List[float]:
    """From 0 in steps of 1, 2 or 5 times a power of ten."""
    power = 1.0
    while power * 10 <= high:
        power *= 10
    while power > high:
        power /= 10
    step = next(
        (power * factor for factor in (0.1, 0.2, 0.5, 1, 2, 5) if high / (power * factor) <= count),
        power,
    )
    return [step * i for i in range(int(high / step + 1e-9) + 1)]


def bar_chart(
    bars: Sequence[Bar], unit: str, label: str, width: float = FULL, reference: float = 0
) -> str:
    """`reference` is a value that gets a line of its own."""
    left = 12 + max(text_width(bar.label, 13) for bar in bars)
    columns = [
        14 + max(text_width(cell, 12) for cell in column)
        for column in zip(*(b.cells for b in bars))
    ]
    right = width - sum(columns) - 4
    highest = max(max(bar.value, bar.high or 0, bar.floor or 0) for bar in bars)
    x = linear(0, highest, left, right)
    bottom = ROW * len(bars) + 6
    drawing = Drawing(width, bottom + 34, label)
    for tick in round_ticks(highest):
        drawing.line(x(tick), 4, x(tick), bottom, "grid")
        drawing.text(x(tick), bottom + 15, words.tick(round(tick, 9)), "tick", "middle")
    drawing.text(left, bottom + 31, unit, "axis")
    for i, bar in enumerate(bars):
        top = 4 + ROW * i
        drawing.text(left - 8, top + 16, bar.label, "rowlabel", "end")
        drawing.bar(left, top + 4, x(bar.value) - left, ROW - 9, f"bar {bar.mark}", bar.hint)
        if bar.low is not None and bar.high is not None:
            drawing.line(x(bar.low), top + 11.5, x(bar.high), top + 11.5, "whisker")
        if bar.floor is not None:
            drawing.line(x(bar.floor), top + 1, x(bar.floor), top + ROW - 2, "floor")
        end = right
        for cell, room in zip(bar.cells, columns):
            end += room
            drawing.text(end, top + 16, cell, "value", "end")
    if reference:
        drawing.line(x(reference), 0, x(reference), bottom, "reference")
    return drawing.svg()


@dataclass(frozen=True)
class Cell:
    share: float  # of the roof, 0 to 1
    time: str
    hint: str = ""
    best: bool = False


@dataclass(frozen=True)
class Rung:
    """A row of a ladder."""

    group: str  # the precision: written once, at the first of its rows
    name: str


def share_matrix(
    rows: Sequence[Rung],
    columns: Sequence[str],
    cells: Dict[Tuple[Rung, str], Cell],
    label: str,
    time: str = "median",
) -> str:
    """A bar in every column, 0 to 100 % of the roof, with its share and its time: hatched where
    these are predictions."""
    width = FULL
    left = 60 + max(text_width(row.name, 13) for row in rows)
    step = (width - left) / len(columns)
    room = min(step - 104, 420)  # the bar's full length; its figures stand behind it
    groups = list(dict.fromkeys(row.group for row in rows))
    gap = 10
    height = 26 + ROW * len(rows) + gap * (len(groups) - 1) + 20
    drawing = Drawing(width, height, label)
    for j, column in enumerate(columns):
        start = left + step * j
        drawing.text(start, 14, column, "columnlabel")
        for share in (0.0, 0.5, 1.0):
            at = start + share * room
            drawing.line(at, 22, at, height - 16, "roofedge" if share == 1 else "grid")
            drawing.text(at, height - 3, f"{100 * share:.0f}", "tick", "middle")
        drawing.text(start + room + 30, 14, "%", "tick", "end")
        drawing.text(start + room + 88, 14, time, "tick", "end")
    for i, row in enumerate(rows):
        top = 24 + ROW * i + gap * groups.index(row.group)
        if i == 0 or rows[i - 1].group != row.group:
            drawing.text(0, top + 16, row.group, f"grouplabel {row.group}")
        drawing.text(left - 10, top + 16, row.name, "rowlabel", "end")
        for j, column in enumerate(columns):
            cell = cells.get((row, column))
            if cell is None:
                continue
            start, strong = left + step * j, " strong" if cell.best else ""
            kind = f"bar {row.group}" + ("" if cell.best else " faint")
            if time == PREDICTED:
                kind = f"bar predicted {row.group}"
            drawing.bar(start, top + 4, min(cell.share, 1.0) * room, ROW - 9, kind, cell.hint)
            drawing.text(
                start + room + 30, top + 16, f"{100 * cell.share:.0f}", f"value{strong}", "end"
            )
            drawing.text(start + room + 88, top + 16, cell.time, f"value{strong}", "end")
    return f'<div class="scroll">{drawing.svg()}</div>'
