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
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Tuple

import context
from prediction import gpu_of, predict
from results import (PRECISIONS, Comparison, Machine, ResultError, Roofs, Row, commit_of, device_name, load_before,
                     read_machine)  # fmt: skip

REFUSED, NOT_WRITTEN = 8, 6
PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"))

COLOURS = {"fp32": "#2563a8", "winograd": "#3f8fa8", "tf32": "#7a4fb0", "bf16": "#d1662c", "fp16": "#2f8f5b"}
OTHERS, INK, LINE, GRID = "#9aa5b1", "#27313d", "#c9d0d8", "#e6eaee"
# Drawn in these, shown in the page's, which has a light and a dark side.
VARIABLES = {OTHERS: "var(--others)", INK: "var(--ink)", LINE: "var(--line)", GRID: "var(--line)"}
WIDTH = 4.7  # inches, at which text is as large as the page's
STYLE = {
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.edgecolor": LINE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "figure.constrained_layout.use": True,
    "legend.frameon": False,
}
CSS = """
:root { color-scheme: light dark; --ink: #27313d; --page: #f2f4f6; --card: #fff; --line: #e6eaee; --faint: #5b6672;
  --refused: #a3271c; --others: #9aa5b1; }
@media (prefers-color-scheme: dark) { :root { --ink: #dfe5ec; --page: #14181d; --card: #1e242b; --line: #36404a;
  --faint: #9fabb8; --refused: #f08a7e; --others: #6d7986; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); margin: 0 auto;
  max-width: 1600px; padding: 1rem; box-sizing: border-box; }
h1, h2, h3 { line-height: 1.2; } h2 { margin: 2.5rem 0 .4rem; } h3 { margin: 1.6rem 0 .3rem; }
a { color: inherit; } nav ul { margin: .3rem 0; padding-left: 1.2rem; } nav li ul { padding: 0; }
nav li ul li { display: inline-block; margin-right: 1rem; font-size: .9rem; }
.about { color: var(--faint); margin: .5rem 0 .7rem; max-width: 60rem; }
.cards { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 440px), 1fr)); }
.cards { align-items: start; }
figure { background: var(--card); border-radius: 8px; margin: 0; padding: .8rem 1rem; min-width: 0; }
figure svg { width: 100%; height: auto; display: block; } figure svg text { fill: var(--ink); }
.scroll.narrow { max-width: 40rem; } figcaption { font-weight: 600; } figure p { font-size: .85rem; margin: .4rem 0 0; color: var(--faint); }
.scroll { overflow-x: auto; background: var(--card); border-radius: 8px; margin: .5rem 0; }
table { border-collapse: collapse; font-size: .85rem; width: 100%; }
th, td { padding: .25rem .7rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child, .words th, .words td { text-align: left; }
.words td:last-child { white-space: normal; min-width: 16rem; }
summary { cursor: pointer; padding: .4rem 0; } .refused { color: var(--refused); }
"""


def digits(value: float) -> str:
    """Three significant ones at most."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def with_unit(value: float, unit: str) -> str:
    factor, prefix = next((one for one in PREFIXES if value >= one[0]), PREFIXES[-1])
    return f"{digits(value / factor)} {prefix}{unit}"


def time(seconds: float) -> str:
    return with_unit(seconds, "s")


def table(header: Sequence[str], lines: Iterable[Sequence[str]], kind: str = "") -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "".join("<tr>" + "".join(f"<td>{escape(c)}</td>" for c in line) + "</tr>" for line in lines)
    return f'<div class="scroll {kind}"><table class="{kind}"><tr>{head}</tr>{body}</table></div>'


class Charts:
    """Figures of one page, as SVG inside it."""

    def __init__(self) -> None:
        import matplotlib  # only here: whoever checks files alone needs none

        matplotlib.use("svg")
        import matplotlib.pyplot
        import matplotlib.ticker

        self.pyplot, self.ticker = matplotlib.pyplot, matplotlib.ticker
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
        for colour, variable in VARIABLES.items():
            svg = svg.replace(colour, variable)
        # Names of one drawing must not be those of another.
        for before in ('id="', "url(#", 'href="#'):
            svg = svg.replace(before, f"{before}c{self.count}-")
        below = f"<p>{escape(note)}</p>" if note else ""
        return f"<figure><figcaption>{escape(title)}</figcaption>{svg}{below}</figure>"

    def bars(
        self, title: str, note: str, unit: str, bars: Sequence[Tuple[str, float, str, str]],
        floors: Sequence[float] = (), line: Optional[float] = None,
    ) -> str:  # fmt: skip
        """Horizontal bars from the top: name, value, what stands on its right, colour."""

        def draw(axes: Any) -> None:
            names, values, texts, colours = zip(*bars)
            places = range(len(bars))
            axes.barh(places, values, color=colours, height=0.7)
            for place, text in zip(places, texts):  # beside the axes, where no tick strikes through it
                axes.annotate(text, (1, place), xycoords=axes.get_yaxis_transform(), xytext=(5, 0),
                              textcoords="offset points", va="center", fontsize=8)  # fmt: skip
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
                axes.xaxis.set_major_formatter(self.ticker.StrMethodFormatter("{x:g}"))
            axes.set_xlabel(unit)

        return self.card(title, note, 0.75 + 0.26 * len(bars), draw)


def peers(charts: Charts, comparison: Comparison) -> str:
    timed = sorted((one for one in comparison.contenders if one.seconds), key=lambda one: one.seconds or 0.0)
    fastest = next((one.seconds for one in timed if not one.is_ours), None)
    bars = []
    for one in timed:
        seconds = one.seconds or 0.0
        beside = f", {seconds / fastest:.2f}×" if fastest else ""
        colour = COLOURS.get(one.precision, OTHERS) if one.is_ours else OTHERS
        bars.append((one.name, 1e3 * seconds, time(seconds) + beside, colour))
    batch = f", batch {comparison.batch}" if comparison.batch > 1 else ""
    return charts.bars(f"One iteration at {comparison.size}×{comparison.size}{batch}", "", "ms", bars)


def breakdown(charts: Charts, machine: Machine) -> str:
    """A card for each precision."""
    cards = []
    for precision, steps in machine.detailed_steps().items():
        sums, floors = machine.seconds_and_floors(steps)
        total, size, kinds = sum(sums.values()), steps[0].parts.size, sorted(sums, key=lambda kind: -sums[kind])
        known = f", floor {time(sum(floors.values()))}" if floors else ""
        title = f"{precision}, {size}×{size}: {time(total)}{known}"
        shares = {kind: f"{time(sums[kind])}, {100 * sums[kind] / total:.0f} %" for kind in kinds}
        bars = [(kind, 1e3 * sums[kind], shares[kind], COLOURS[precision]) for kind in kinds]
        cards.append(charts.bars(title, "", "ms", bars, [1e3 * floors.get(kind, 0.0) for kind in kinds]))
    return "".join(cards)


def log_axes(axes: Any, x: str, y: str, columns: int) -> None:
    """Both logarithmic, with the legend of what was drawn below."""
    axes.set(xscale="log", yscale="log", xlabel=x, ylabel=y)
    axes.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.2), ncol=columns)


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
        log_axes(axes, "side of the picture", "ms per iteration and picture", columns=3)
        sides = sorted({row.parts.size for row in rows})
        axes.set_xticks(sides, sides)
        axes.minorticks_off()
        axes.yaxis.set_major_locator(charts.ticker.LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(charts.ticker.StrMethodFormatter("{x:g}"))

    return charts.card("Milliseconds for each picture", "", 3.6, draw)


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
        log_axes(axes, "FLOP per byte", "FLOP/s", columns=2)

    note = f"Roof: {with_unit(peak, 'FLOP/s')} and {with_unit(bandwidth, 'B/s')}."
    return charts.card(f"Operations in {precision}", note, 4.2, draw)


def ladder(charts: Charts, op: str, rows: List[Row], machine: Machine) -> str:
    """An operation's rungs at the layer in the middle: shares of the roof with cold caches or, of rungs that the
    host-SIMT machine counted, how often they move what has to be moved."""
    rows = [row for row in rows if row.parts.cache != "hot" and row.parts.batch == 1]
    layers = sorted({(row.parts.layer, row.parts.size) for row in rows})
    layer, size = layers[len(layers) // 2] if layers else ("", 0)
    rows = [row for row in rows if (row.parts.layer, row.parts.size) == (layer, size)]
    gpu = gpu_of(machine.name)
    predicted = predict(gpu) if gpu else {}
    bars, ticks = [], []
    for row in sorted(rows, key=lambda row: (PRECISIONS.index(row.parts.precision), row.parts.number)):
        share = machine.roofs.share(row) if row.seconds_of else None
        if not row.seconds_of:
            value, text = row.traffic, f"{digits(row.traffic)}×"
        elif share is not None:
            value, text = 100 * share, f"{100 * share:.0f} %, {time(row.seconds)}"
        else:
            continue
        bars.append((f"{row.parts.rung}, {row.parts.precision}", value, text, COLOURS[row.parts.precision]))
        prediction = predicted.get(row.name.removesuffix("/cold"))
        ticks.append(value * row.seconds / prediction.seconds if prediction else 0.0)
    if not bars:
        return ""
    if not rows[0].seconds_of:
        return charts.bars(f"The ladder of {op}", "", "times the least traffic", bars, line=1)
    where = f"{layer} of {size}×{size}" if size else layer
    return charts.bars(f"The ladder of {op}, {where}", "", "% of the roof", bars, ticks, line=100)


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
            known(row.counters.get("sm_mhz"), lambda clock: f"{clock:.0f}"),
        ))  # fmt: skip
    header = ["row", "median", "min", "variation", "GB/s", "TFLOP/s", "FLOP/B", "% of roof", "error", "SM MHz"]
    shown = len(header) - (0 if any("sm_mhz" in row.counters for row in rows) else 1)
    return table(header[:shown], (line[:shown] for line in lines))


def ceiling_words(name: str) -> str:
    """ "copying, 2 threads" of "copy/2"; "bf16 products" of "bf16"."""
    what, *rest = name.split("/")
    words = {"fma": "multiply-adds in float", "bf16_dot": "multiply-adds of vdpbf16ps", "copy": "copying",
             "read": "reading", "l2_copy": "copying in the L2 cache", "l2_read": "reading in the L2 cache"}  # fmt: skip
    said = words.get(what, f"{what} products on tensor cores" if what in PRECISIONS else what)
    said += f", registers of {rest[0]} bits" if len(rest) == 2 else ""
    return f"{said}, {rest[-1]} thread{'s'[: rest[-1] != '1']}" if rest and rest[-1].isdigit() else said


def ceilings(machine: Machine) -> str:
    roofs = machine.roofs
    lines = [(ceiling_words(name), with_unit(value, "FLOP/s")) for name, value in sorted(roofs.flops.items())]
    lines += [(ceiling_words(name), with_unit(value, "B/s")) for name, value in sorted(roofs.bytes_per_second.items())]
    return table(("what the machine can do at most", "measured"), lines, "narrow") if lines else ""


# What the other columns of the table of origins say, or what is the machine's affair.
SAID = ("name", "host_name", "executable", "caches", "library_build_type", "date", "device", "commit", "dirty",
        "load_avg", "load_average_before", "json_schema_version", "aslr_enabled")  # fmt: skip


IN_WORDS = {"num_cpus": "cores", "mhz_per_cpu": "MHz", "cpu_scaling_enabled": "clock scaled by the system",
            "driver_version": "driver"}  # fmt: skip


def details(about: Dict[str, Any]) -> str:
    """Versions, clocks and features: what else a context says."""
    found = []
    for key, value in about.items():
        if isinstance(value, dict):
            found.append(details(value))
        elif isinstance(value, list):
            found += [str(one) for one in value if key == "flags"]
        elif key == "hypervisor":
            found += ["virtual machine"] if value else []
        elif value not in (None, False) and key not in SAID and not key.startswith("ceiling_"):
            found.append(IN_WORDS.get(key, key) + ("" if value is True else f" {value}"))
    return ", ".join(filter(None, found))


def origins(machine: Machine) -> str:
    """Where the figures of each file come from."""
    lines = []
    for name, about in machine.contexts.items():
        load = load_before(about)
        busy = "not recorded" if load is None else f"{load:.1f}"
        date = str(about["date"])[:10] if "date" in about else "not recorded"
        lines.append((name, device_name(about), commit_of(about), date, busy, details(about)))
    refused = "".join(f'<p class="refused">Not shown: {escape(one)}</p>' for one in machine.refused)
    header = ("file", "device", "commit", "date", "load before", "versions, clocks and features")
    return table(header, lines, "words") + refused


@dataclass(frozen=True)
class Part:
    """A part of a machine's section: what it shows and how to read that, or what would fill it."""

    title: str
    shown: str  # nothing where there is nothing to show
    about: str
    filled_by: str
    cards: bool = True


def parts(charts: Charts, machine: Machine) -> List[Part]:
    ladders = "".join(ladder(charts, op, rows, machine) for op, rows in machine.ladders())
    counted = not any(row.seconds_of for row in machine.rows) and bool(ladders)
    sources = Part("Where the figures come from", origins(machine), "", "", cards=False)
    if counted:
        about = "Loads and stores of all threads over the bytes that have to move. Counted, not timed."
        return [Part("Ladders", ladders, about, ""), sources]
    run = "./dev gpu" if machine.is_gpu else "./dev bench"
    compared = [one for one in machine.comparisons if any(c.seconds for c in one.contenders)]
    rooflines = "".join(roofline(charts, machine, precision) for precision in PRECISIONS)
    no_roof = "there is no roof, since ceilings_bench measured nothing here." if machine.operations() else ""
    rows = "".join(f"<details><summary>{escape(op)}</summary>{rows_table(rows, machine.roofs)}</details>"
                   for op, rows in machine.operations().items())  # fmt: skip
    every = [
        Part("Beside its peers", "".join(peers(charts, one) for one in compared),
             "Losses were compared before anything was timed. ×: times the fastest peer, whatever its precision.",
             f"{run} runs other programs beside ours."),
        Part("Where an iteration's time goes", breakdown(charts, machine),
             "Each step is timed where it stands in the iteration. A tick is the floor of its work on this machine. "
             "Faster than its floor is what found its data in a cache, or an algorithm that does fewer operations than "
             "are counted, as Winograd's convolution.",
             f"{run} times the iteration's steps (iteration_bench)."),
        Part("Larger pictures, and several", scaling(charts, machine), "", f"{run} times iterations at several sizes."),
        Part("Operations and their roof", rooflines,
             "Each operation alone, every measured shape a point. Roofs were measured here. Above one lies what stayed "
             "in a cache, or an algorithm that does fewer operations than are counted.",
             no_roof or f"{run} times operations alone (op_bench, on a GPU cuda_bench)."),
        *([Part("Ladders", ladders,
                "Every way that we have to compute an operation, caches cold. A tick is what the model of "
                "docs/gram_ladder.md predicts.",
                "./dev gpu times every rung (cuda_bench).")] if ladders or machine.is_gpu else []),
        Part("What the machine can do", ceilings(machine), "",
             "ceilings_bench measures it, on a GPU cuda_bench does.", cards=False),
        Part("Every row", rows, "", "what op_bench and cuda_bench measure stands here, row by row.", cards=False),
        sources,
    ]  # fmt: skip
    return sorted(every, key=lambda part: not part.shown)


def section(charts: Charts, machine: Machine, name: str) -> Tuple[str, str]:
    """The machine's line in the table of contents, with the parts that show something, and its section."""
    heading, links, inside = escape(machine.name), "", ""
    for part in parts(charts, machine):
        title, anchor = escape(part.title), f"{name}-{context.slug(part.title)}"
        if not part.shown:
            inside += f'<p class="about"><strong>{title}.</strong> Nothing yet: {escape(part.filled_by)}</p>'
            continue
        links += f'<li><a href="#{anchor}">{title}</a></li>'
        inside += f'<h3 id="{anchor}">{title}</h3>'
        inside += f'<p class="about">{escape(part.about)}</p>' if part.about else ""
        inside += f'<div class="cards">{part.shown}</div>' if part.cards else part.shown
    line = f'<li><a href="#{name}">{heading}</a><ul>{links}</ul></li>'
    return line, f'<section><h2 id="{name}">{heading}</h2>{inside}</section>'


def page(machines: List[Machine]) -> str:
    charts = Charts()
    sections = [section(charts, machine, f"machine-{i}") for i, machine in enumerate(machines, 1)]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
        f"<title>Impasto, measured</title><style>{CSS}</style></head><body><h1>Impasto, measured</h1>"
        "<p>Where the time of an iteration goes, and how far each operation is from what the machine can "
        "do. docs/measuring.md says how to read it.</p>"
        f"<nav><ul>{''.join(line for line, _ in sections)}</ul></nav>"
        f"{''.join(shown for _, shown in sections)}</body></html>\n"
    )


def main() -> int:
    parser = context.parser(__doc__, prog="./dev report")
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER", help="(default: all that are kept)")
    parser.add_argument("-o", "--output", type=Path, default=context.REPOSITORY / "build" / "report.html")
    arguments = parser.parse_args()
    for folder in arguments.folders:
        if not any(folder.glob("*.json")):
            parser.error(f"{folder}: expected a folder of results (*.json), one for each machine")
    try:
        machines = [read_machine(folder) for folder in arguments.folders or context.kept_machines()]
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
