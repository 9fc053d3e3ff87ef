# SPDX-License-Identifier: MIT
"""The iteration beside the same work in other programs, and the figures one looks for first."""

from typing import List, Tuple

from report import words
from report.bars import HALF, Bar, bar_chart
from report.html import figure
from report.machine import Machine
from report.names import PRECISIONS
from report.races import Contender, Race


def ratio_bar(one: Contender, own: Contender) -> Bar:
    base = own.seconds
    return Bar(
        one.label_beside(own.precision),
        one.seconds / base,
        (f"{one.seconds / base:.2f}×", words.time(one.seconds)),
        one.precision if one.is_ours else "other",
        one.fastest / base,
        one.slowest / base,
    )


def race_figure(race: Race) -> str:
    """Ratios to our own time in the same precision."""
    drawings, differences = "", []
    for precision in PRECISIONS:
        own, group = race.own(precision), race.group(precision)
        if own is None:
            continue
        bars = [ratio_bar(one, own) for one in group]
        chart = bar_chart(bars, f"times Impasto's, {precision}", f"Peers in {precision}", HALF, 1.0)
        drawings += f'<div class="half"><h4 class="{precision}">{precision}</h4>{chart}</div>'
        differences.append(f"{precision} {max(one.difference for one in group):.1g}")
    batch = f", batch {race.batch}" if race.batch > 1 else ""
    return figure(
        f"One iteration at {race.size}×{race.size}{batch}, beside its peers",
        f'<div class="pair">{drawings}</div>',
        "Median time of an iteration over that of Impasto in the same precision and the same run; "
        "lines reach from the fastest to the slowest. Before anything was timed all programs' "
        "losses were compared with Impasto's in fp32; the largest relative differences: "
        f"{', '.join(differences)}. {words.origin(race.context)}.",
    )


def peers(machine: Machine) -> str:
    """The first race, and the others folded away."""
    figures = [
        race_figure(race) for race in machine.races if any(c.is_ours for c in race.contenders)
    ]
    if len(figures) < 2:
        return "".join(figures)
    others = "".join(figures[1:])
    return f"{figures[0]}<details><summary>other sizes and batches</summary>{others}</details>"


def own_figures(race: Race) -> List[Tuple[str, str]]:
    found = []
    for own in (one for one in race.contenders if one.is_ours):
        rivals = [one.seconds for one in race.group(own.precision) if not one.is_ours]
        what = f"an iteration in {own.precision}, {race.size}×{race.size}"
        if rivals:
            what += f"; the fastest peer takes {min(rivals) / own.seconds:.2f} times as long"
        found.append((words.time(own.seconds), what))
    return found


def headline(machine: Machine) -> List[Tuple[str, str]]:
    """The few figures one looks for first, each with what it is."""
    found = own_figures(machine.races[0]) if machine.races else []
    roofs = machine.roofs
    if roofs.bandwidth:
        found.append((words.with_unit(roofs.bandwidth.rate, "B/s"), "copied, the memory roof"))
    if roofs.compute:
        best = max(roofs.compute, key=lambda one: one.rate)
        found.append((words.with_unit(best.rate, "FLOP/s"), f"{best.name}, the compute roof"))
    return found
