# SPDX-License-Identifier: MIT
"""The iteration beside the same work in other programs, and the figures one looks for first."""

from typing import Any, Dict, List, Tuple

from report import words
from report.bars import HALF, Bar, bar_chart
from report.html import figure
from report.machine import Machine
from report.names import PRECISIONS


def difference_in(document: Dict[str, Any], precision: str) -> float:
    of_contenders = document["contenders"]
    return max(
        one["largest_loss_difference"] for one in of_contenders if one["precision"] == precision
    )


def peers(document: Dict[str, Any]) -> str:
    """Ratios to our own time in the same precision."""
    drawings = ""
    contenders = document["contenders"]
    precisions = [one for one in PRECISIONS if any(c["precision"] == one for c in contenders)]
    for precision in precisions:
        group = [one for one in contenders if one["precision"] == precision]
        own = [one for one in group if one["program"] == "Impasto"]
        if not own:
            continue
        base = own[0]["seconds_per_iteration"]
        bars = []
        for one in sorted(group, key=lambda each: each["seconds_per_iteration"]):
            ratio = one["seconds_per_iteration"] / base
            ours = one["program"] == "Impasto"
            form = f", {one['form']}" if one["form"] else ""
            cells = (f"{ratio:.2f}×", words.time(one["seconds_per_iteration"]))
            bars.append(
                Bar(
                    f"{one['program']}{form}",
                    ratio,
                    cells,
                    precision if ours else "other",
                    one["fastest_iteration"] / base,
                    one["slowest_iteration"] / base,
                    hint=f"{one['iterations_timed']} iterations",
                )
            )
        chart = bar_chart(bars, f"times Impasto's, {precision}", f"Peers in {precision}", HALF, 1.0)
        drawings += f'<div class="half"><h4 class="{precision}">{precision}</h4>{chart}</div>'
    side = document["size"]
    agreed = ", ".join(
        f"{precision} {difference_in(document, precision):.1g}" for precision in precisions
    )
    return figure(
        f"One iteration at {side}×{side}, beside its peers",
        f'<div class="pair">{drawings}</div>',
        "Median time of an iteration over that of Impasto in the same precision and the same run; "
        "lines reach from the fastest to the slowest iteration. Before anything was timed all "
        "programs' losses were compared with Impasto's in fp32; the largest relative differences: "
        f"{agreed}. {words.origin(document['context'])}.",
    )


def headline(machine: Machine) -> List[Tuple[str, str]]:
    """The few figures one looks for first, each with what it is."""
    found = []
    for document in machine.peers:
        side = f"{document['size']}×{document['size']}"
        for one in document["contenders"]:
            if one["program"] != "Impasto":
                continue
            rivals = [
                other["seconds_per_iteration"]
                for other in document["contenders"]
                if other["precision"] == one["precision"] and other["program"] != "Impasto"
            ]
            versus = ""
            if rivals:
                ratio = min(rivals) / one["seconds_per_iteration"]
                versus = f"; the fastest peer takes {ratio:.2f} times as long"
            found.append(
                (
                    words.time(one["seconds_per_iteration"]),
                    f"an iteration in {one['precision']}, {side}{versus}",
                )
            )
    roofs = machine.roofs
    if roofs.bandwidth:
        found.append((words.with_unit(roofs.bandwidth.rate, "B/s"), "copied, the memory roof"))
    if roofs.compute:
        best = max(roofs.compute, key=lambda one: one.rate)
        found.append((words.with_unit(best.rate, "FLOP/s"), f"{best.name}, the compute roof"))
    return found
