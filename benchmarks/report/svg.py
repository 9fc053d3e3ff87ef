# SPDX-License-Identifier: MIT
"""Drawings as text: elements, scales, labels that do not overlap. Colours are the page's."""

import math
from dataclasses import dataclass, field
from html import escape
from typing import Callable, List, Sequence, Tuple

Scale = Callable[[float], float]


def linear(low: float, high: float, start: float, stop: float) -> Scale:
    return lambda value: start + (value - low) / (high - low) * (stop - start)


def logarithmic(low: float, high: float, start: float, stop: float) -> Scale:
    return lambda value: start + math.log(value / low) / math.log(high / low) * (stop - start)


def text_width(text: str, size: float) -> float:
    """Roughly, of a sans serif face: enough to keep labels apart."""
    narrow = sum(character in " .,:;il|!'()fjrt" for character in text)
    return size * (0.38 * narrow + 0.635 * (len(text) - narrow))


@dataclass
class Box:
    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: "Box") -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )


@dataclass
class Drawing:
    """One figure; `label` is what it is for those who do not see it."""

    width: float
    height: float
    label: str
    parts: List[str] = field(default_factory=list)
    taken: List[Box] = field(default_factory=list)  # where something stands already

    def add(self, tag: str, cls: str, hint: str = "", **attributes: float) -> None:
        written = "".join(
            f' {name.replace("_", "-")}="{number(value)}"' for name, value in attributes.items()
        )
        inside = f"><title>{escape(hint)}</title></{tag}>" if hint else "/>"
        self.parts.append(f'<{tag} class="{cls}"{written}{inside}')

    def line(self, x1: float, y1: float, x2: float, y2: float, cls: str) -> None:
        self.add("line", cls, x1=x1, y1=y1, x2=x2, y2=y2)

    def bar(
        self, x: float, y: float, width: float, height: float, cls: str, hint: str = ""
    ) -> None:
        self.add("rect", cls, hint, x=x, y=y, width=max(width, 0.5), height=height)

    def path(self, points: Sequence[Tuple[float, float]], cls: str) -> None:
        steps = " L".join(f"{number(x)} {number(y)}" for x, y in points)
        self.parts.append(f'<path class="{cls}" d="M{steps}"/>')

    def text(self, x: float, y: float, text: str, cls: str = "", anchor: str = "start") -> None:
        self.parts.append(
            f'<text class="{cls}" x="{number(x)}" y="{number(y)}" text-anchor="{anchor}">'
            f"{escape(text)}</text>"
        )

    def text_where_free(
        self, places: Sequence[Tuple[float, float, str]], text: str, cls: str
    ) -> float:
        """At the first of the places (x, y, anchor) where nothing stands, or else the first.
        Returns its left end."""
        width = text_width(text, 11) + 4
        before = {"start": 0.0, "middle": width / 2, "end": width}
        boxes = [
            Box(x - before[anchor], y - 10, x - before[anchor] + width, y + 3)
            for x, y, anchor in places
        ]
        free = (
            i
            for i, box in enumerate(boxes)
            if box.right <= self.width and not any(box.meets(one) for one in self.taken)
        )
        chosen = next(free, 0)
        self.taken.append(boxes[chosen])
        x, y, anchor = places[chosen]
        self.text(x, y, text, cls, anchor)
        return boxes[chosen].left

    def text_along(
        self, foot: Tuple[float, float], slope: float, end: float, text: str, cls: str
    ) -> None:
        """Above a line that rises from `foot` to the right, ending `end` along it."""
        width = text_width(text, 11)
        turn = (
            f"translate({number(foot[0])} {number(foot[1])}) rotate({number(-math.degrees(slope))})"
        )
        self.parts.append(
            f'<text class="{cls}" transform="{turn} translate({number(end)} -6)" '
            f'text-anchor="end">{escape(text)}</text>'
        )
        for i in range(9):
            along = end - width * i / 8
            x = foot[0] + along * math.cos(slope) - 11 * math.sin(slope)
            y = foot[1] - along * math.sin(slope) - 11 * math.cos(slope)
            self.taken.append(Box(x - 7, y - 7, x + 7, y + 7))

    def label_point(self, x: float, y: float, text: str, cls: str = "small") -> None:
        """Beside a point, at the nearest place that is free, with a line to it when that is far."""
        width, height = text_width(text, 11) + 5, 12.0
        for distance in range(0, 54, 3):
            for side in (1, -1):
                for down in (0.0, distance, -distance):
                    left = x + 7 if side > 0 else x - 7 - width
                    top = y + down - height / 2
                    far = 3.0 * side  # from what comes next, away from the point
                    box = Box(left + min(far, 0), top, left + width + max(far, 0), top + height)
                    inside = 0 <= box.left and box.right <= self.width and box.top >= 0
                    if not inside or any(box.meets(other) for other in self.taken):
                        continue
                    self.taken.append(box)
                    if abs(down) > 8:
                        self.line(x, y, x + 6 * side, y + down, "leader")
                    anchor = "start" if side > 0 else "end"
                    self.text(x + 7 * side, y + down + 4, text, cls, anchor)
                    return

    def keep_clear(self, x: float, y: float, radius: float = 5) -> None:
        self.taken.append(Box(x - radius, y - radius, x + radius, y + radius))

    def svg(self) -> str:
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{number(self.width)}" '
            f'height="{number(self.height)}" '
            f'viewBox="0 0 {number(self.width)} {number(self.height)}" role="img" '
            f'aria-label="{escape(self.label, quote=True)}">' + "".join(self.parts) + "</svg>"
        )


def number(value: float) -> str:
    """A coordinate."""
    return f"{value:.1f}".rstrip("0").rstrip(".")


def log_ticks(low: float, high: float) -> List[float]:
    """Of a logarithmic axis: powers of ten, and between them 2 and 5 where there is room."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    factors = (1, 2, 5) if high / low < 200 else (1,)
    ticks = [factor * 10.0**power for power in powers for factor in factors]
    return [tick for tick in ticks if low <= tick <= high]
