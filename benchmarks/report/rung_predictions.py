# SPDX-License-Identifier: MIT
"""What a rung would take on GPUs that were not measured, by its own account of what it does.

The larger of the FLOP that it executes over the peak of the units it uses, and the bytes that it
asks for over peak bandwidth, as if no cache answered.
"""

from typing import Dict, List, Sequence, Tuple

from report import words
from report.bars import PREDICTED, Cell, Rung, share_matrix
from report.data_sheets import GPUS, Gpu
from report.html import figure, table
from report.names import PRECISIONS, parse
from report.work import RungWork, WorkTable

SHOWN_GPU = "H100 SXM"
DRAWN = ("gram", "gram_loss", "style_backward")  # the style layers' ladders


EXPLAINED = (
    "<h3>Every rung</h3><p>The time of a rung is the larger of the FLOP that it executes over its "
    "units' peak and the bytes that it asks for over peak bandwidth, as if no cache answered. Caches "
    "do: a rung that asks for more than its operation needs can be faster than this. A bar is the "
    "operation's own floor over that time: at 100 % nothing is asked for twice, or of a symmetric "
    "matrix one half alone is computed, which no floor counts on.</p>"
)


def units(precision: str, tensor_cores: bool) -> str:
    return precision if tensor_cores else "fp32"


def predicted(gpu: Gpu, rung: RungWork) -> float:
    """Seconds."""
    return gpu.floor(rung.flops, rung.bytes, units(rung.precision, rung.tensor_cores))


def least(gpu: Gpu, rung: RungWork) -> float:
    """Of the operation, on the fastest units that its precision may use."""
    return gpu.floor(*rung.least, rung.precision)


def named(rung: RungWork) -> str:
    parts = parse(f"{rung.op}/{rung.rung}")
    return f"{parts.rung} {parts.idea}"


def ladder(gpu: Gpu, op: str, rungs: Sequence[RungWork]) -> str:
    cells: Dict[Tuple[Rung, str], Cell] = {}
    for rung in (one for one in rungs if one.runs_on(gpu.sm)):
        time = predicted(gpu, rung)
        hint = f"{op} {named(rung)}, {rung.shape}: {words.time(time)} if no cache answers"
        share = min(1.0, least(gpu, rung) / time)
        cell = Cell(share, words.time(time), hint, best=rung.ships)
        cells[(Rung(rung.precision, named(rung)), rung.shape.split("@")[0])] = cell
    rows = sorted(
        dict.fromkeys(row for row, _ in cells), key=lambda row: PRECISIONS.index(row.group)
    )
    columns = list(dict.fromkeys(column for _, column in cells))
    return share_matrix(rows, columns, cells, f"Predicted ladder of {op}", PREDICTED)


def cell_of(gpu: Gpu, rung: RungWork) -> str:
    return words.time(predicted(gpu, rung)) if rung.runs_on(gpu.sm) else "–"


def every_row(rungs: Sequence[RungWork]) -> str:
    header = ("rung", "", "shape", "GFLOP", "MB", *(gpu.name for gpu in GPUS))
    lines = [
        [
            f"{rung.op} {named(rung)}",
            rung.precision,
            rung.shape,
            words.digits(rung.flops / 1e9),
            words.digits(rung.bytes / 1e6),
            *(cell_of(gpu, rung) for gpu in GPUS),
        ]
        for rung in rungs
    ]
    return table(header, lines, "predicted")


def folded(title: str, rungs: Sequence[RungWork]) -> str:
    return f"<details><summary>{title}</summary>{every_row(rungs)}</details>"


def ladders(work: WorkTable) -> str:
    """A figure for each ladder of the style layers, and every rung's figures on every GPU."""
    gpu = next(one for one in GPUS if one.name == SHOWN_GPU)
    by_op: Dict[str, List[RungWork]] = {}
    for rung in work.rungs:
        by_op.setdefault(rung.op, []).append(rung)
    if not by_op:
        return ""
    found = EXPLAINED
    for op in (one for one in DRAWN if one in by_op):
        found += figure(
            f"{op} on an {gpu.name} at 512×512, predicted",
            ladder(gpu, op, by_op[op]),
            "Hatched: a prediction. In bold what ships where nothing was measured.",
        ) + folded(f"every rung of {op} on every GPU, predicted", by_op[op])
    others = [rung for op, rungs in by_op.items() if op not in DRAWN for rung in rungs]
    if others:
        found += folded("every rung of the other operations on every GPU, predicted", others)
    return found


def header() -> List[str]:
    return ["what ships", "", "at 512²", *(gpu.name for gpu in GPUS)]


def shipped_rows(work: WorkTable) -> List[List[str]]:
    """For the pages: in bf16, and in fp32 what has no other precision."""
    in_bf16 = {rung.op for rung in work.rungs if rung.precision == "bf16"}
    return [
        [
            f"{rung.op} {named(rung)}",
            rung.precision,
            rung.shape.split("@")[0],
            *(cell_of(gpu, rung) for gpu in GPUS),
        ]
        for rung in work.rungs
        if rung.ships and (rung.precision == "bf16" or rung.op not in in_bf16)
    ]
