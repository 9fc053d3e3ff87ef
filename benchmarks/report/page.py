# SPDX-License-Identifier: MIT
"""The page: one HTML file with everything in it."""

from html import escape
from pathlib import Path
from typing import List

from report import breakdown, operations, peers, predictions, scaling, step_rooflines, words
from report.bars import HALF, Bar, bar_chart
from report.html import figure, table
from report.machine import Machine, provenance
from report.work import WorkTable

HATCHES = "".join(
    f'<pattern id="hatch-{name}" width="7" height="7" patternUnits="userSpaceOnUse" '
    f'patternTransform="rotate(45)"><rect class="hatchline {name}" width="2" height="7"/></pattern>'
    for name in ("fp32", "tf32", "bf16")
)


def measured_by(machine: Machine) -> str:
    if machine.is_gpu:
        return "Large matrix products, and copying beyond the caches."
    return "Multiply-adds from registers, and copying beyond the caches: name/registers/threads."


def ceilings(machine: Machine) -> str:
    roofs = machine.roofs
    bars: List[str] = []
    for ceilings_of, unit in ((roofs.compute, "FLOP/s"), (roofs.bandwidths, "B/s")):
        if ceilings_of:
            ordered = sorted(ceilings_of, key=lambda one: -one.rate)
            chart = bar_chart(
                [
                    Bar(one.name, one.rate / 1e9, (words.with_unit(one.rate, unit),), "other")
                    for one in ordered
                ],
                f"G{unit}",
                f"Measured ceilings in {unit}",
                HALF,
            )
            bars.append(f'<div class="half">{chart}</div>')
    if not bars:
        return ""
    return figure(
        "What the machine can do at most",
        f'<div class="pair">{"".join(bars)}</div>',
        f"{measured_by(machine)} Bytes count once read and once written, a multiply-add as two "
        "FLOP. These are the denominators of this machine's figures.",
    )


def origins(machine: Machine) -> str:
    header = ("file", "device", "commit", "date", "load before", "versions, clocks and features")
    return (
        "<h3>Where the figures come from</h3>"
        + table(header, [provenance(results) for results in machine.files], "words")
        + "".join(f'<p class="refused">Not shown: {escape(each)}</p>' for each in machine.refused)
    )


def machine_section(machine: Machine, work: WorkTable) -> str:
    tiles = "".join(
        f'<div class="tile"><b>{escape(value)}</b><span>{escape(what)}</span></div>'
        for value, what in peers.headline(machine)
    )
    return (
        f'<section class="machine"><h2>{escape(machine.name)}</h2><div class="tiles">{tiles}</div>'
        + peers.peers(machine)
        + breakdown.breakdown(machine, work)
        + scaling.scaling(machine, work)
        + step_rooflines.rooflines(machine, work)
        + operations.operations(machine)
        + operations.counted(machine)
        + ceilings(machine)
        + origins(machine)
        + "</section>"
    )


def render(machines: List[Machine], work: WorkTable) -> str:
    style = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")
    standing = (
        ""
        if any(machine.is_gpu for machine in machines)
        else '<p class="notice">No GPU has been measured yet. Every measured figure below is '
        "of a CPU; what is said of GPUs is predicted and drawn hatched.</p>"
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
        f"<title>Impasto, measured</title><style>{style}</style></head><body>"
        '<svg xmlns="http://www.w3.org/2000/svg" class="defs" width="0" height="0">'
        f"<defs>{HATCHES}</defs></svg><header><h1>Impasto, measured</h1>"
        "<p>Neural style transfer as an engine: where its time goes, and how far each operation is "
        f"from what the machine can do.</p>{standing}</header><main>"
        + "".join(machine_section(machine, work) for machine in machines)
        + predictions.section(work)
        + GLOSSARY
        + "</main></body></html>\n"
    )


GLOSSARY = """<section><h2>How to read it</h2><dl>
<dt>Work</dt><dd>The FLOP and bytes that an operation needs at least, whoever does it: each input
read once, each output written once (benchmarks/work.hpp). A multiply-add is two FLOP.</dd>
<dt>Roof</dt><dd>The smaller of the highest measured rate and arithmetic intensity times measured
copy bandwidth. A figure above it is a mistake, unless the data stayed in a cache or the algorithm
does fewer operations than were counted; the figure says which.</dd>
<dt>Floor</dt><dd>Work over roof: the least time an operation can take on this machine. An
iteration's floor is the sum of its steps' floors.</dd>
<dt>Cold, hot</dt><dd>Caches flushed before each measurement, or filled by the one before.</dd>
<dt>Variation</dt><dd>Coefficient of variation: standard deviation over mean of the repetitions.
Differences smaller than it mean nothing.</dd>
<dt>Hatched and dashed</dt><dd>Predicted, not measured.</dd>
</dl></section>"""
