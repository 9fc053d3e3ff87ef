# SPDX-License-Identifier: MIT
"""Rooflines: each row's rate over its arithmetic intensity, below the measured roofs."""

import math
from dataclasses import dataclass
from typing import Dict, List, Sequence, Tuple

from report import words
from report.roofs import Ceiling, Roofs
from report.svg import Box, Drawing, Scale, log_ticks, logarithmic, text_width

LEFT, TOP, BELOW = 50, 26, 42
ONE_PLACE = 12.0  # points closer than this share a label


@dataclass(frozen=True)
class Point:
    label: str
    intensity: float  # FLOP per byte
    rate: float  # FLOP/s
    mark: str  # the class of its colour
    hint: str
    column: str = ""  # what all points of this intensity have in common, written above them


@dataclass(frozen=True)
class Axes:
    """Logarithmic ones around points, ridge and roof."""

    intensity: Tuple[float, float]
    rate: Tuple[float, float]
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.width - 12

    @property
    def bottom(self) -> float:
        return self.height - BELOW

    @property
    def x(self) -> Scale:
        return logarithmic(*self.intensity, LEFT, self.right)

    @property
    def y(self) -> Scale:
        return logarithmic(*self.rate, self.bottom, TOP)

    def draw(self, drawing: Drawing) -> None:
        unit, scale = ("TFLOP/s", 1e12) if self.rate[1] > 2e12 else ("GFLOP/s", 1e9)
        for value in log_ticks(*self.intensity):
            drawing.line(self.x(value), TOP, self.x(value), self.bottom, "grid")
            drawing.text(self.x(value), self.bottom + 16, words.tick(value), "tick", "middle")
        for value in log_ticks(*self.rate):
            drawing.line(LEFT, self.y(value), self.right, self.y(value), "grid")
            drawing.text(LEFT - 6, self.y(value) + 4, words.tick(value / scale), "tick", "end")
        drawing.text(LEFT, 14, unit, "axis")
        drawing.text(self.right, self.bottom + 34, "FLOP per byte", "axis", "end")


def axes_around(
    points: Sequence[Point], peak: Ceiling, bandwidth: Ceiling, width: float, height: float
) -> Axes:
    intensities = [point.intensity for point in points] + [peak.rate / bandwidth.rate]
    rates = [point.rate for point in points] + [peak.rate]
    across = (min(intensities) / 1.6, max(intensities) * 1.6)
    headroom = 3.0 if any(point.column for point in points) else 1.7
    return Axes(across, (min(rates) / 2, max(rates) * headroom), width, height)


def draw_roof(drawing: Drawing, axes: Axes, peak: Ceiling, bandwidth: Ceiling) -> None:
    """The line with its two names, where no point is."""
    ridge = peak.rate / bandwidth.rate
    start = max(axes.intensity[0], axes.rate[0] / bandwidth.rate)
    foot = (axes.x(start), axes.y(start * bandwidth.rate))
    top = (axes.x(ridge), axes.y(peak.rate))
    drawing.path([foot, top, (axes.right, top[1])], "roof")
    drawing.taken.append(Box(top[0], top[1] - 1, axes.right, top[1] + 1))
    compute = f"{peak.name}  {words.with_unit(peak.rate, 'FLOP/s')}"
    memory = f"{bandwidth.name}  {words.with_unit(bandwidth.rate, 'B/s')}"
    right_ends = [(axes.right, top[1] + down, "end") for down in (-7.0, 16.0, 30.0)]
    limit = drawing.text_where_free(right_ends, compute, "rooflabel") - 8
    length = math.dist(foot, top)
    if length > text_width(memory, 11) + 40:
        slope = math.atan2(foot[1] - top[1], top[0] - foot[0])
        end = min(0.96 * length, (limit - foot[0]) / math.cos(slope))
        drawing.text_along(foot, slope, end, memory, "rooflabel")
    else:
        beside = [(top[0] + 4, top[1] - 7, "start"), (top[0] + 6, top[1] + 16, "start")]
        drawing.text_where_free(beside, memory, "rooflabel")


def column_heads(points: Sequence[Point], axes: Axes) -> Dict[str, Tuple[float, str]]:
    """By column its place and heading. Columns too close to tell apart share one heading."""
    middles: Dict[str, float] = {}
    for point in points:
        middles.setdefault(point.column, axes.x(point.intensity))
    heads: Dict[str, Tuple[float, str]] = {}
    group: List[str] = []
    for name, place in sorted(middles.items(), key=lambda item: item[1]):
        if group and place - middles[group[-1]] > 52:
            group = []
        group.append(name)
        centre = sum(middles[one] for one in group) / len(group)
        for one in group:
            heads[one] = (centre, ", ".join(group))
    return heads


def joined(points: Sequence[Point], heads: Dict[str, Tuple[float, str]]) -> str:
    """ "6, 7", and where columns share a heading "6, 7 of conv3_1; 8 of conv5_1"."""
    by_column: Dict[str, List[str]] = {}
    for point in points:
        by_column.setdefault(point.column, []).append(point.label)
    texts = []
    for column, labels in sorted(by_column.items()):
        shared = bool(heads) and heads[column][1] != column
        ordered = labels if heads else sorted(labels)  # rungs from top to bottom, layers by name
        texts.append(", ".join(ordered) + (f" of {column}" if shared else ""))
    return "; ".join(texts)


def labelled(
    points: Sequence[Point],
    places: Sequence[Tuple[float, float]],
    heads: Dict[str, Tuple[float, str]],
) -> List[Tuple[Tuple[float, float], str]]:
    """Places with their texts, from top to bottom; points that lie on one another have one text."""
    groups: List[Tuple[Tuple[float, float], List[Point]]] = []
    for place, point in sorted(zip(places, points), key=lambda pair: pair[0][1]):
        near = next((group for at, group in groups if math.dist(at, place) < ONE_PLACE), None)
        if near is None:
            groups.append((place, [point]))
        else:
            near.append(point)
    return [(place, joined(group, heads)) for place, group in groups]


def panel(
    title: str,
    points: Sequence[Point],
    roofs: Roofs,
    precision: str,
    width: float = 530,
    height: float = 300,
) -> str:
    """One operation in one precision; the roofs must be there."""
    peak, bandwidth = roofs.peak(precision), roofs.bandwidth
    assert peak is not None and bandwidth is not None
    axes = axes_around(points, peak, bandwidth, width, height)
    drawing = Drawing(width, height, f"Roofline of {title}, {len(points)} points")
    axes.draw(drawing)
    places = [(axes.x(point.intensity), axes.y(point.rate)) for point in points]
    for place in places:
        drawing.keep_clear(*place)
    heads = column_heads(points, axes) if any(point.column for point in points) else {}
    for centre, head in sorted(set(heads.values())):
        drawing.text(centre, TOP + 12, head, "columnlabel", "middle")
        half = text_width(head, 13) / 2
        drawing.taken.append(Box(centre - half, TOP, centre + half, TOP + 16))
    draw_roof(drawing, axes, peak, bandwidth)
    drawing.taken.append(Box(0, axes.bottom + 4, width, height))  # the axis' figures
    drawing.taken.append(Box(0, 0, LEFT - 3, height))
    for place, point in zip(places, points):
        drawing.add("circle", f"point {point.mark}", point.hint, cx=place[0], cy=place[1], r=4.5)
    for place, text in labelled(points, places, heads):
        drawing.label_point(*place, text)
    return drawing.svg()
