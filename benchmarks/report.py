#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Draws the measurements under benchmarks/results/ as one HTML page that needs nothing else.

Each folder is a machine. Rows whose results were not checked are left out and named; a figure above its
roof, a rehearsal and a broken file end the program with 8, and nothing is written. Charts are
matplotlib's.
"""

import io
import re
import sys
from html import escape
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Tuple

import context
from results import (PRECISIONS, Comparison, Machine, ResultError, Roofs, Row, commit_of, device_name, load_before,
                     read_machine)  # fmt: skip

RESULTS = context.REPOSITORY / "benchmarks" / "results"
NO_MACHINES = ("nvcc",)  # what the compiler says
REFUSED, NOT_WRITTEN = 8, 6

COLOURS = {"fp32": "#2563a8", "winograd": "#3f8fa8", "tf32": "#7a4fb0", "bf16": "#d1662c", "fp16": "#2f8f5b"}
OTHERS, INK = "#9aa5b1", "#27313d"
WIDTH = 4.7  # inches, at which text is as large as the page's
STYLE = {
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.edgecolor": "#c9d0d8",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e6eaee",
    "figure.constrained_layout.use": True,
    "legend.frameon": False,
}
CSS = """
body { font: 16px/1.5 system-ui, sans-serif; color: #27313d; background: #f2f4f6; margin: 0 auto;
  max-width: 1600px; padding: 1rem; box-sizing: border-box; }
h1, h2 { line-height: 1.2; } h2 { margin: 2.5rem 0 .8rem; }
.cards { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 440px), 1fr)); }
.cards { align-items: start; }
figure { background: #fff; border-radius: 8px; margin: 0; padding: .8rem 1rem; min-width: 0; }
figure svg { width: 100%; height: auto; display: block; }
figcaption { font-weight: 600; } figure p { font-size: .85rem; margin: .4rem 0 0; color: #5b6672; }
.scroll { overflow-x: auto; background: #fff; border-radius: 8px; margin: 1rem 0; }
table { border-collapse: collapse; font-size: .85rem; width: 100%; }
th, td { padding: .25rem .7rem; text-align: right; white-space: nowrap; border-bottom: 1px solid #e6eaee; }
th:first-child, td:first-child, .words th, .words td { text-align: left; }
.words td:last-child { white-space: normal; min-width: 16rem; }
summary { cursor: pointer; padding: .4rem 0; } .refused { color: #a3271c; }
"""


def digits(value: float) -> str:
    """Three significant ones at most."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def with_unit(value: float, unit: str, prefixes: Sequence[Tuple[float, str]]) -> str:
    factor, prefix = next((one for one in prefixes if value >= one[0]), prefixes[-1])
    return f"{digits(value / factor)} {prefix}{unit}"


def time(seconds: float) -> str:
    return with_unit(seconds, "s", ((1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n")))


def rate(value: float, unit: str) -> str:
    return with_unit(value, unit, ((1e12, "T"), (1e9, "G"), (1e6, "M")))


def table(header: Sequence[str], lines: Iterable[Sequence[str]], kind: str = "") -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "".join("<tr>" + "".join(f"<td>{escape(c)}</td>" for c in line) + "</tr>" for line in lines)
    return f'<div class="scroll"><table class="{kind}"><tr>{head}</tr>{body}</table></div>'


class Charts:
    """Figures of one page, as SVG inside it."""

    def __init__(self) -> None:
        import matplotlib  # only here: whoever checks files alone needs none

        matplotlib.use("svg")
        import matplotlib.pyplot

        self.pyplot = matplotlib.pyplot
        self.pyplot.rcParams.update(STYLE)
        self.count = 0

    def card(self, title: str, note: str, height: float, draw: Callable[[Any], None]) -> str:
        figure, axes = self.pyplot.subplots(figsize=(WIDTH, height))
        draw(axes)
        text = io.StringIO()
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
        self.pyplot.close(figure)
        self.count += 1
        svg = re.sub(r"<metadata>.*?</metadata>", "", text.getvalue(), flags=re.DOTALL)
        svg = svg[svg.index("<svg") :]
        # Names of one drawing must not be those of another.
        for before in ('id="', "url(#", 'href="#'):
            svg = svg.replace(before, f"{before}c{self.count}-")
        return f"<figure><figcaption>{escape(title)}</figcaption>{svg}<p>{escape(note)}</p></figure>"

    def bars(
        self, title: str, note: str, unit: str, bars: Sequence[Tuple[str, float, str, str]],
        floors: Sequence[float] = (), line: Optional[float] = None,
    ) -> str:  # fmt: skip
        """Horizontal bars from the top: name, value, what stands behind it, colour."""

        def draw(axes: Any) -> None:
            names, values, texts, colours = zip(*bars)
            places = range(len(bars))
            drawn = axes.barh(places, values, color=colours, height=0.7)
            axes.bar_label(drawn, labels=texts, padding=3, fontsize=8)
            for place, floor in zip(places, floors):
                if floor:
                    axes.plot([floor, floor], [place - 0.42, place + 0.42], color=INK, linewidth=1.5)
            if line is not None:
                axes.axvline(line, color=INK, linewidth=1)
            axes.set_yticks(places, names)
            axes.invert_yaxis()
            axes.grid(axis="y", visible=False)
            if max(values) > 20 * min(values) and line == 1:
                axes.set_xscale("log")
            axes.margins(x=0.3)
            axes.set_xlabel(unit)

        return self.card(title, note, 0.75 + 0.26 * len(bars), draw)


def peers(charts: Charts, comparison: Comparison) -> str:
    bars = []
    for one in sorted((one for one in comparison.contenders if one.seconds), key=lambda one: one.seconds):
        ratio = None if one.is_ours else comparison.times_ours(one)
        beside = "" if ratio is None else f", {ratio:.2f}×"
        colour = COLOURS.get(one.precision, OTHERS) if one.is_ours else OTHERS
        bars.append((one.name, 1e3 * one.seconds, time(one.seconds) + beside, colour))
    batch = f", batch {comparison.batch}" if comparison.batch > 1 else ""
    title = f"One iteration at {comparison.size}×{comparison.size}{batch}, beside its peers"
    note = "Losses were compared before anything was timed. ×: times Impasto in the same precision."
    return charts.bars(title, note, "ms", bars)


def breakdown(charts: Charts, machine: Machine) -> str:
    """A card for each precision."""
    cards = []
    for precision, steps in machine.detailed_steps().items():
        sums, floors = machine.seconds_and_floors(steps)
        total, size, kinds = sum(sums.values()), steps[0].parts.size, sorted(sums, key=lambda kind: -sums[kind])
        known = f", floor {time(sum(floors.values()))}" if floors else ""
        title = f"Where the time goes: {precision}, {size}×{size}: {time(total)}{known}"
        note = "Each step is timed where it stands in the iteration."
        note += " The tick is the floor of its work on this machine." if floors else ""
        shares = {kind: f"{time(sums[kind])}, {100 * sums[kind] / total:.0f} %" for kind in kinds}
        bars = [(kind, 1e3 * sums[kind], shares[kind], COLOURS[precision]) for kind in kinds]
        cards.append(charts.bars(title, note, "ms", bars, [1e3 * floors.get(kind, 0.0) for kind in kinds]))
    return "".join(cards)


def scaling(charts: Charts, machine: Machine) -> str:
    rows = machine.timed("iteration")
    if len({(row.parts.size, row.parts.batch) for row in rows}) < 2:
        return ""

    def draw(axes: Any) -> None:
        lines: Dict[Tuple[int, int], List[Tuple[int, float]]] = {}
        for row in sorted(rows, key=lambda row: row.parts.size):
            line = lines.setdefault((PRECISIONS.index(row.parts.precision), row.parts.batch), [])
            line.append((row.parts.size, 1e3 * row.seconds / row.parts.batch))
        for (place, batch), points in sorted(lines.items()):
            label = PRECISIONS[place] + (f", batch {batch}" if batch > 1 else "")
            marker = "o" if batch == 1 else "^" if batch == 2 else "s"
            axes.plot(*zip(*points), marker, linestyle="-" if len(points) > 1 else "", markersize=5,
                      color=COLOURS[PRECISIONS[place]], alpha=1 if batch == 1 else 0.6, label=label)  # fmt: skip
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("side of the picture")
        sides = sorted({row.parts.size for row in rows})
        axes.set_xticks(sides, sides)
        axes.minorticks_off()
        axes.set_ylabel("ms per iteration and picture")
        axes.legend(fontsize=8)

    return charts.card("Larger pictures, and several", "Time of one iteration for each picture.", 3.1, draw)


def roofline(charts: Charts, machine: Machine, precision: str) -> str:
    """Every operation measured alone below the roof, at the setting most rows have."""
    roofs, points = machine.roofs, {}
    peak, bandwidth = roofs.peak(precision), roofs.bandwidth
    for op, rows in machine.operations().items():
        usable = [row for row in rows if row.parts.precision == precision and row.flops and row.bytes
                  and row.parts.batch == 1 and row.parts.cache != "hot"]  # fmt: skip
        if usable:
            points[op] = [(row.flops / row.bytes, row.flops / row.seconds) for row in usable]
    if not points or peak is None or bandwidth is None:
        return ""

    def draw(axes: Any) -> None:
        xs = [x for one in points.values() for x, _ in one]
        left, right = min(xs) / 2, max(max(xs), peak / bandwidth) * 3
        ridge = [left, peak / bandwidth, right]
        axes.plot(ridge, [min(peak, x * bandwidth) for x in ridge], color=INK, linewidth=1.5)
        colours = charts.pyplot.get_cmap("tab20").colors
        for number, (op, one) in enumerate(points.items()):
            axes.scatter(*zip(*one), s=22, color=colours[number % 20], marker="os^Dv"[number % 5], label=op)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("FLOP per byte")
        axes.set_ylabel("FLOP/s")
        axes.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.2), ncol=2)

    note = f"Roof: {rate(peak, 'FLOP/s')} and {rate(bandwidth, 'B/s')}, both measured here. Above it lies what stayed "
    note += "in a cache."
    return charts.card(f"Operations below the roof, {precision}", note, 4.2, draw)


def ladder(charts: Charts, op: str, rows: List[Row], roofs: Roofs) -> str:
    """An operation's rungs at the layer in the middle: shares of the roof with cold caches or, of rungs that the
    host-SIMT machine counted, how often they move what has to be moved."""
    rows = [row for row in rows if row.parts.cache != "hot" and row.parts.batch == 1]
    layers = sorted({(row.parts.layer, row.parts.size) for row in rows})
    bars = []
    for row in sorted(rows, key=lambda row: (PRECISIONS.index(row.parts.precision), row.parts.number)):
        share = roofs.share(row) if row.seconds_of else None
        if (row.parts.layer, row.parts.size) != layers[len(layers) // 2]:
            continue
        if not row.seconds_of:
            value, text = row.traffic, f"{row.traffic:.2f}×"
        elif share is not None:
            value, text = 100 * share, f"{100 * share:.0f} %, {time(row.seconds)}"
        else:
            continue
        bars.append((f"{row.parts.rung}, {row.parts.precision}", value, text, COLOURS[row.parts.precision]))
    if not bars:
        return ""
    title = f"The ladder of {op}"
    if not rows[0].seconds_of:
        note = "Loads and stores of all threads over the bytes that have to move. Counted, not timed."
        return charts.bars(title, note, "times the least traffic", bars, line=1)
    layer, size = layers[len(layers) // 2]
    return charts.bars(title, f"At {layer} of {size}×{size}; caches cold.", "% of the roof", bars, line=100)


def rows_table(rows: List[Row], roofs: Roofs) -> str:
    def known(value: Optional[float], show: Callable[[float], str]) -> str:
        return "–" if value is None else show(value)

    lines = []
    for row in sorted(rows, key=lambda one: one.name):
        lines.append((
            row.name, time(row.seconds), time(min(row.seconds_of)),
            known(row.variation, lambda variation: f"{100 * variation:.1f} %"),
            known(row.bytes or None, lambda moved: digits(moved / row.seconds / 1e9)),
            known(row.flops or None, lambda flops: digits(flops / row.seconds / 1e12)),
            known(row.flops / row.bytes if row.flops and row.bytes else None, digits),
            known(roofs.share(row), lambda share: f"{100 * share:.0f}"),
            known(row.counters.get("error"), lambda error: f"{error:.0e}"),
        ))  # fmt: skip
    return table(("row", "median", "min", "variation", "GB/s", "TFLOP/s", "FLOP/B", "% of roof", "error"), lines)


def ceilings(machine: Machine) -> str:
    roofs = machine.roofs
    if roofs.bandwidth is None and machine.operations():
        return '<p class="refused">Without a roof: nothing here was measured by ceilings_bench.</p>'
    lines = [(name, rate(value, "FLOP/s")) for name, value in sorted(roofs.flops.items())]
    lines += [(name, rate(value, "B/s")) for name, value in sorted(roofs.bytes_per_second.items())]
    return table(("what the machine can do at most", "measured"), lines) if lines else ""


# What the other columns of the table of origins say, or what is the machine's affair.
SAID = ("name", "host_name", "executable", "caches", "library_build_type", "date", "device", "commit", "dirty",
        "load_avg", "load_average_before", "json_schema_version", "aslr_enabled")  # fmt: skip


def details(about: Dict[str, Any]) -> str:
    """Versions, clocks and features: what else a context says."""
    found = []
    for key, value in about.items():
        if isinstance(value, dict):
            found.append(details(value))
        elif isinstance(value, list):
            found += [str(one) for one in value if key == "flags"]
        elif value is not None and key not in SAID and not key.startswith("ceiling_"):
            found.append(f"{key} {value}")
    return ", ".join(filter(None, found))


def origins(machine: Machine) -> str:
    """Where the figures of each file come from."""
    lines = []
    for name, about in machine.contexts.items():
        load = load_before(about)
        busy = "not recorded" if load is None else f"{load:.1f}"
        date = str(about.get("date", "not recorded"))[:10]
        lines.append((name, device_name(about), commit_of(about), date, busy, details(about)))
    refused = "".join(f'<p class="refused">Not shown: {escape(one)}</p>' for one in machine.refused)
    header = ("file", "device", "commit", "date", "load before", "versions, clocks and features")
    return table(header, lines, "words") + refused


def section(charts: Charts, machine: Machine) -> str:
    cards = [peers(charts, one) for one in machine.comparisons if any(c.seconds for c in one.contenders)]
    cards += [breakdown(charts, machine), scaling(charts, machine)]
    cards += [roofline(charts, machine, precision) for precision in PRECISIONS]
    cards += [ladder(charts, op, rows, machine.roofs) for op, rows in machine.ladders()]
    every = ""
    for op, rows in machine.operations().items():
        every += f"<details><summary>every row of {escape(op)}</summary>{rows_table(rows, machine.roofs)}</details>"
    return (
        f'<section><h2>{escape(machine.name)}</h2><div class="cards">{"".join(cards)}</div>'
        f"{ceilings(machine)}{every}{origins(machine)}</section>"
    )


def page(machines: List[Machine]) -> str:
    charts = Charts()
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
        f"<title>Impasto, measured</title><style>{CSS}</style></head><body><h1>Impasto, measured</h1>"
        "<p>Where the time of an iteration goes, and how far each operation is from what the machine can "
        "do. docs/measuring.md says how to read it.</p>"
        + "".join(section(charts, machine) for machine in machines)
        + "</body></html>\n"
    )


def main() -> int:
    parser = context.parser(__doc__, prog="./dev report")
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER", help="(default: all that are kept)")
    parser.add_argument("-o", "--output", type=Path, default=context.REPOSITORY / "build" / "report.html")
    arguments = parser.parse_args()
    kept = [one for one in sorted(RESULTS.iterdir()) if one.is_dir() and one.name not in NO_MACHINES]
    for folder in arguments.folders:
        if not any(folder.glob("*.json")):
            parser.error(f"{folder}: expected a folder of results (*.json), one for each machine")
    try:
        machines = [read_machine(folder) for folder in arguments.folders or kept]
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        context.replace_text(arguments.output, page(machines))
    except ResultError as error:
        print(f"report: {error}", file=sys.stderr)
        return REFUSED
    except OSError as error:
        print(f"report: {arguments.output}: {error.strerror}", file=sys.stderr)
        return NOT_WRITTEN
    for machine in machines:
        for sentence in machine.refused:
            print(f"not shown: {sentence}", file=sys.stderr)
    print(arguments.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
