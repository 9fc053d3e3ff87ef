# SPDX-License-Identifier: MIT
"""How time grows with the picture, and throughput with the batch."""

from typing import List, Sequence, Tuple

from report import words
from report.svg import Drawing, log_ticks, logarithmic

WIDTH, HEIGHT = 530, 300
LEFT, RIGHT, TOP, BOTTOM = 50, 430, 24, 258
Line = Tuple[str, str, List[Tuple[float, float]]]  # label, class, points


def line_chart(
    lines: Sequence[Line], unit: str, across: str, label: str, show=words.time, scale: float = 1.0
) -> str:
    """At least two places across. Both axes logarithmic; every line but a floor's labelled
    at its end, every point with its value. `scale` turns values into the axis' unit."""
    xs = sorted({x for _, _, points in lines for x, _ in points})
    ys = [y * scale for _, _, points in lines for _, y in points]
    lowest, highest = min(ys) / 1.6, max(ys) * 1.6
    x = logarithmic(xs[0], xs[-1], LEFT + 46, RIGHT - 6)
    y = logarithmic(lowest, highest, BOTTOM, TOP)
    drawing = Drawing(WIDTH, HEIGHT, label)
    for value in log_ticks(lowest, highest):
        drawing.line(LEFT, y(value), RIGHT, y(value), "grid")
        drawing.text(LEFT - 6, y(value) + 4, words.tick(value), "tick", "end")
    for value in xs:
        drawing.text(x(value), BOTTOM + 16, f"{value:g}", "tick", "middle")
        drawing.line(x(value), BOTTOM, x(value), BOTTOM + 4, "axisline")
    drawing.text(LEFT, 14, unit, "axis")
    drawing.text(RIGHT, BOTTOM + 34, across, "axis", "end")
    for name, cls, points in lines:
        places = [(x(at), y(value * scale)) for at, value in sorted(points)]
        drawing.path(places, f"curve {cls}")
        for place in places:
            drawing.keep_clear(*place)
    for name, cls, points in lines:
        if "floorcurve" in cls:
            continue
        for at, value in sorted(points):
            left, top = x(at), y(value * scale)
            drawing.add("circle", f"point {cls}", cx=left, cy=top, r=4)
            sides = [(left - 3, top - 8, "end"), (left + 3, top + 17, "start")]
            drawing.text_where_free(sides, show(value), "small")
        at, value = max(points)
        drawing.label_point(x(at), y(value * scale), name, f"small {cls}")
    return drawing.svg()
