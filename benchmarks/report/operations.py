# SPDX-License-Identifier: MIT
"""Operations measured alone: ladder, roofline and every row of each; and what was counted."""

from html import escape
from typing import Dict, List, Optional, Tuple

from report import words
from report.bars import Cell, Rung, share_matrix
from report.html import colour_keys, figure, table
from report.machine import Machine
from report.names import PRECISIONS, Parts
from report.results import ROOF_TOLERANCE
from report.roofline import Point, panel
from report.roofs import Roofs
from report.rows import ResultError, Row

Setting = Tuple[int, int, str]  # size, batch, cache


def roof_share(row: Row, roofs: Roofs) -> Optional[float]:
    """What the program that measured it says, or else its rate below our roof."""
    if "roof_share" in row.counters:
        return row.counters["roof_share"]
    floor = roofs.floor(row.amount("flops"), row.amount("bytes"), row.parts.precision)
    if not floor:
        return None
    share = floor / row.seconds
    if share > ROOF_TOLERANCE and row.parts.cache == "cold":
        raise ResultError(
            f"{row.file}: row '{row.name}' is at {100 * share:.0f} % of its roof, which was "
            "measured in the same folder: its work, its time or the ceiling is wrong"
        )
    return share


def setting_of(parts: Parts) -> Setting:
    return parts.size, parts.batch, parts.cache


def shown_setting(rows: List[Row]) -> Setting:
    """The one most rows have; of equals cold caches, one picture, the smaller size."""
    counts: Dict[Setting, int] = {}
    for row in rows:
        setting = setting_of(row.parts)
        counts[setting] = counts.get(setting, 0) + 1
    return min(counts, key=lambda one: (-counts[one], one[2] != "cold", one[1], one[0]))


def describe(setting: Setting) -> str:
    size, batch, cache = setting
    words_of = [
        f"{size}×{size}" if size else "",
        f"batch {batch}",
        f"{cache} caches" if cache else "",
    ]
    return ", ".join(word for word in words_of if word)


def row_order(row: Row) -> Tuple[int, int, str]:
    """Precision, then rungs in their order, then what is no rung."""
    parts = row.parts
    precision = PRECISIONS.index(parts.precision) if parts.precision in PRECISIONS else 9
    return precision, int(parts.rung) if parts.rung.isdigit() else 99, parts.variant


def rung_of(op: str, parts: Parts) -> Rung:
    idea = f"{parts.rung} {parts.idea}" if parts.rung != parts.idea else parts.idea
    return Rung(parts.precision or "fp32", idea or op)


def hint_of(row: Row) -> str:
    rates = []
    if row.amount("flops"):
        rates.append(words.with_unit(row.amount("flops") / row.seconds, "FLOP/s"))
    if row.amount("bytes"):
        rates.append(words.with_unit(row.amount("bytes") / row.seconds, "B/s"))
    return f"{row.name}: {words.time(row.seconds)}, {', '.join(rates)}"


def ladder(op: str, rows: List[Row], roofs: Roofs) -> str:
    """Rungs below one another, layers side by side; the fastest of its kind stands out."""
    columns = sorted({row.parts.layer or "pixels" for row in rows})
    cells: Dict[Tuple[Rung, str], Cell] = {}
    fastest: Dict[Tuple[str, str], float] = {}
    for row in rows:
        key = (row.parts.precision, row.parts.layer)
        fastest[key] = min(fastest.get(key, row.seconds), row.seconds)
    for row in sorted(rows, key=row_order):
        share, parts = roof_share(row, roofs), row.parts
        if share is not None:
            best = row.seconds == fastest[(parts.precision, parts.layer)]
            cell = Cell(share, words.time(row.seconds), hint_of(row), best)
            cells[(rung_of(op, parts), parts.layer or "pixels")] = cell
    if not cells:
        return ""
    rungs = list(dict.fromkeys(rung for rung, _ in cells))
    return share_matrix(rungs, columns, cells, f"Shares of the roof of {op}")


def has_ladder(rows: List[Row]) -> bool:
    """Whether there is more than one way to compute it."""
    return len({row.parts.variant for row in rows}) > 1


def points_of(op: str, rows: List[Row], roofs: Roofs, precision: str) -> List[Point]:
    """Rungs below the name of their layer; layers where there is one way alone."""
    points, of_rungs = [], has_ladder(rows)
    for row in rows:
        parts, flops, moved = row.parts, row.amount("flops"), row.amount("bytes")
        if (parts.precision or "fp32") != precision or not flops or not moved:
            continue
        mark = precision + (" over" if (roof_share(row, roofs) or 0) > 1 else "")
        label, column = (parts.rung, parts.layer) if of_rungs else (parts.layer or op, "")
        rate = flops / row.seconds
        points.append(Point(label, flops / moved, rate, mark, hint_of(row), column))
    return points


def rooflines(op: str, rows: List[Row], roofs: Roofs) -> str:
    """A panel for each precision, over the full width where there are many points."""
    if roofs.bandwidth is None:
        return ""
    drawings = ""
    for precision in PRECISIONS:
        points = points_of(op, rows, roofs, precision)
        peak = roofs.peak(precision)
        if not points or peak is None:
            continue
        # Rungs for float that multiply in TF32 have its roof.
        roof = "tf32" if max(point.rate for point in points) > peak.rate else precision
        wide = len(points) > 12
        chart = panel(
            f"{op} in {precision}",
            points,
            roofs,
            roof,
            1080 if wide else 530,
            420 if wide else 300,
        )
        cls = "wide" if wide else "half"
        drawings += (
            f'<div class="{cls}"><h4>{escape(op)}{colour_keys([precision])}</h4>{chart}</div>'
        )
    return f'<div class="pair">{drawings}</div>' if drawings else ""


def rows_table(rows: List[Row], roofs: Roofs) -> str:
    header = (
        "row",
        "median",
        "min",
        "variation",
        "GB/s",
        "TFLOP/s",
        "FLOP/B",
        "% of roof",
        "error",
    )
    lines = []
    for row in sorted(rows, key=lambda one: (*row_order(one), one.name)):
        flops, moved, share = row.amount("flops"), row.amount("bytes"), roof_share(row, roofs)
        variation, error = row.variation, row.counters.get("error")
        lines.append(
            (
                row.name,
                words.time(row.seconds),
                words.time(min(row.seconds_of)),
                "–" if variation is None else words.percent(variation),
                words.digits(moved / row.seconds / 1e9) if moved else "–",
                words.digits(flops / row.seconds / 1e12) if flops else "–",
                words.digits(flops / moved) if flops and moved else "–",
                "–" if share is None else f"{100 * share:.0f}",
                "–" if error is None else f"{error:.0e}",
            )
        )
    return table(header, lines)


def in_cache(rows: List[Row], roofs: Roofs) -> str:
    """A sentence on rows above the roof of memory, if there are any."""
    above = any((roof_share(row, roofs) or 0) > 1 for row in rows)
    return "Above 100 % maps did not leave the caches. " if above else ""


def throttled(rows: List[Row]) -> str:
    """A sentence on rows whose GPU slowed itself down, if there are any."""
    count = sum(row.counters.get("throttled", 0) > 0 for row in rows)
    if not count:
        return ""
    return f"Of {count} of {len(rows)} rows the GPU was throttled: its power or heat held the clock. "


def operation(op: str, rows: List[Row], roofs: Roofs) -> str:
    setting = shown_setting(rows)
    shown = [row for row in rows if setting_of(row.parts) == setting]
    drawings, below = ladder(op, shown, roofs), rooflines(op, shown, roofs)
    if has_ladder(shown) or not drawings:
        drawings, below = drawings + below, ""
    caption = (
        "Bars and %: share of the roof at the row's arithmetic intensity; then the median time. "
        "The fastest of a layer and precision is solid. Every row's result was checked in the "
        f"process that timed it. {in_cache(shown, roofs)}{throttled(rows)}{words.origin(rows[0].context)}."
    )
    listing = (
        f"<details><summary>every row of {escape(op)}</summary>{below}{rows_table(rows, roofs)}"
        "</details>"
    )
    return figure(f"{op}, {describe(setting)}", drawings, caption) + listing


def operations(machine: Machine) -> str:
    roofs = machine.roofs
    return "".join(operation(op, rows, roofs) for op, rows in sorted(machine.operations().items()))


def counts(row: Row) -> List[str]:
    loaded, stored = row.counters["loaded_bytes"], row.counters.get("stored_bytes", 0.0)
    model = row.amount("bytes")
    cells = [row.name, f"{loaded / 1e6:.3g}", f"{stored / 1e6:.3g}"]
    cells.append(f"{(loaded + stored) / model:.3f}×" if model else "–")
    for name in ("bank_conflicts", "barriers", "sectors_per_request"):
        cells.append(f"{row.counters[name]:.4g}" if name in row.counters else "–")
    return cells


def counted(machine: Machine) -> str:
    """What the host-SIMT machine counted: not times, and the same on every machine."""
    rows = sorted(machine.counted, key=lambda one: (one.parts.op, *row_order(one), one.name))
    if not rows:
        return ""
    header = ("row", "loaded MB", "stored MB", "over model", "conflicts", "barriers", "sectors")
    return (
        "<h3>Counted, not timed</h3><p>CUDA kernels run on the host-SIMT machine, which counts "
        "each access of each thread. <em>Over model</em> is global traffic over the bytes that the "
        "work model says are needed; conflicts are of shared memory's banks; sectors are those of "
        "a warp's request on average.</p>"
        + table(header, [counts(row) for row in rows])
    )
