# SPDX-License-Identifier: MIT
"""The tables of a GPU run. A run is its stages by name, each as benchmarks/gpu/run.py wrote it; any
of them may be missing."""

from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, Optional

from report.work import KINDS, kind_of
from tables import Result, table

STAGES = ("environment", "tests", "tuning", "iteration", "stylization", "peers", "determinism") + (
    "ladders",
    "sanitizer",
)
NOTHING_YET = "Nothing on this page has run on a GPU yet.\n"
UNTUNED = "\\* with the libraries' first plans, not the fastest of several.\n"
DETAILED = (512, 1)  # side and batch of the breakdown
LOSERS = 5

Cells = List[str]  # of one line


def stages_in(folder: Path) -> List[str]:
    return [stage for stage in STAGES if (folder / f"{stage}.json").exists()]


def caption(run: Result) -> str:
    stage = next(iter(run.values()))
    about = stage["context"]
    gpu, pytorch = about["gpu"] or {}, about["pytorch"] or {}
    parts = [gpu.get("name", "unknown GPU"), f"driver {gpu.get('driver_version', 'unknown')}"]
    parts += [f"{name} {pytorch[key]}" for name, key in VERSIONS if pytorch.get(key)]
    clocks = next((s["clocks"]["clocks.sm"] for s in run.values() if s.get("clocks")), None)
    if clocks:
        parts.append(f"SM clock {clocks['median']:.0f} MHz under load")
    dirty = " with changes" if about["dirty"] else ""
    cut = [name for name, one in run.items() if not one["complete"] and not one["skipped"]]
    cut_short = f" Cut short: {', '.join(cut)}." if cut else ""
    place = ", ".join(parts)
    return f"{place}; commit {about['commit'][:10]}{dirty}, {about['date']}.{cut_short}\n"


VERSIONS = (("CUDA", "cuda"), ("cuDNN", "cudnn"), ("PyTorch", "torch"))


def fine(seconds: float) -> str:
    """Milliseconds with three digits."""
    return f"{1e3 * seconds:.3g}"


def shape(row: Result) -> str:
    batch = f", batch {row['batch']}" if row["batch"] > 1 else ""
    return f"{row['size']}²{batch}" + ("" if row["tuned"] else " *")


def by_shape(rows: Iterable[Result]) -> Dict[str, Dict[str, Result]]:
    """The rows that were measured: by shape, then by precision."""
    shapes: Dict[str, Dict[str, Result]] = {}
    for row in sorted(rows, key=lambda row: (row["batch"], row["size"])):
        if "seconds" in row:
            shapes.setdefault(shape(row), {})[row["precision"]] = row
    return shapes


def precisions_of(rows: Iterable[Result]) -> List[str]:
    return list(dict.fromkeys(row["precision"] for row in rows))


def share_of_floor(row: Result) -> str:
    floor = row["floor_seconds"]
    return "" if floor is None else f" ({floor / row['seconds']:.0%})"


def shape_table(
    header: List[str], rows: List[Result], cells: Callable[[Optional[Result]], Cells]
) -> str:
    """A line for each shape, with the cells of each precision: of None where it was not measured."""
    lines = [
        [name, *(cell for one in precisions_of(rows) for cell in cells(measured.get(one)))]
        for name, measured in by_shape(rows).items()
    ]
    return table(["", *header], lines)


def iteration_table(rows: List[Result]) -> str:
    """Milliseconds, and the share of the floor in them."""

    def cells(row: Optional[Result]) -> Cells:
        return ["–" if row is None else fine(row["seconds"]) + share_of_floor(row)]

    return shape_table([f"{precision} ms (floor)" for precision in precisions_of(rows)], rows, cells)


def throughput_table(rows: List[Result]) -> str:
    def cells(row: Optional[Result]) -> Cells:
        memory = f"{row['device_bytes'] / 2**30:.2f}" if row and row["device_bytes"] else "–"
        return [f"{row['image_iterations_per_second']:.0f}" if row else "–", memory]

    header = []
    for precision in precisions_of(rows):
        header += [f"{precision} images·iterations/s", "GiB"]
    return shape_table(header, rows, cells)


def detailed(rows: Iterable[Result]) -> List[Result]:
    return [row for row in rows if (row["size"], row["batch"]) == DETAILED and "steps" in row]


def breakdown_table(rows: List[Result]) -> str:
    """By kind of step: microseconds beside the floor."""
    chosen = detailed(rows)
    header = [""]
    for row in chosen:
        header += [f"{row['precision']} µs", "floor µs"]
    lines = []
    kinds = {kind_of(step["name"]) for row in chosen for step in row["steps"]}
    for label in (label for label, _ in KINDS if label in kinds):
        line = [label]
        for row in chosen:
            steps = [step for step in row["steps"] if kind_of(step["name"]) == label]
            line.append(f"{1e6 * sum(step['seconds'] for step in steps):.1f}")
            known = row["floor_seconds"] is not None
            line.append(f"{1e6 * sum(s['floor_seconds'] for s in steps):.1f}" if known else "–")
        lines.append(line)
    return table(header, lines)


def losers_table(rows: List[Result]) -> str:
    """The steps that lose most against their floors."""
    lines = []
    for row in detailed(rows):
        if row["floor_seconds"] is None:
            continue
        lost = sorted(row["steps"], key=lambda step: step["floor_seconds"] - step["seconds"])
        for step in lost[:LOSERS]:
            seconds, floor = step["seconds"], step["floor_seconds"]
            cells = (seconds, floor, seconds - floor)
            lines.append([f"{row['precision']}: {step['name']}", *(f"{1e6 * s:.1f}" for s in cells)])
    return table(("step", "µs", "floor µs", "lost µs"), lines)


def own_seconds(row: Result, precision: str) -> Optional[float]:
    for one in row["contenders"]:
        if one["program"] == "Impasto" and one["precision"] == precision:
            return one.get("seconds_per_iteration")
    return None


def peers_table(rows: List[Result]) -> str:
    """Every contender's milliseconds; of PyTorch also how many times Impasto's in bf16."""
    names = list(
        dict.fromkeys(
            (c["program"], c["form"], c["precision"]) for row in rows for c in row["contenders"]
        )
    )
    lines = []
    for row in rows:
        own = own_seconds(row, "bf16")
        found = {(c["program"], c["form"], c["precision"]): c for c in row["contenders"]}
        line = [shape(row)]
        for name in names:
            seconds = found.get(name, {}).get("seconds_per_iteration")
            cell = "–" if seconds is None else fine(seconds)
            if seconds is not None and own is not None and name[0] != "Impasto":
                cell += f" ({seconds / own:.2f}×)"
            line.append(cell)
        lines.append(line)
    return table(("ms", *(" ".join(filter(None, name)) for name in names)), lines)


def verdict(stage: Result) -> str:
    if stage["skipped"]:
        return f"not run: {stage['skipped']}"
    if stage["failures"]:
        return f"**failed**: {stage['failures'][0].splitlines()[0]}"
    return "passed" if stage["complete"] else "cut short"


def verdicts_table(run: Result) -> str:
    return table(("stage", "outcome"), [[name, verdict(stage)] for name, stage in run.items()])


def stylization_table(runs: Dict[str, Any]) -> str:
    lines = [
        [name, f"{one['last_loss']:.6g}", f"{one['difference_from_fp32']:.1e}", f"{one['seconds']:.2f}"]
        for name, one in runs.items()
    ]
    return table(("", "last loss", "differs from fp32 by", "s"), lines)


def section(run: Result) -> str:
    """Everything a run has shown."""
    parts = ["### Outcome\n", verdicts_table(run)]
    if "iteration" in run:
        rows = run["iteration"]["rows"]
        parts += ["### One iteration, and how much of it is the floor of its work\n"]
        parts += [iteration_table(rows), UNTUNED, "### Throughput and device memory\n", throughput_table(rows)]
        parts += ["### Steps at 512²\n", breakdown_table(rows), losers_table(rows)]
    if "peers" in run:
        parts += ["### Beside PyTorch, in brackets times Impasto in bf16\n"]
        parts += [peers_table(run["peers"]["rows"]), UNTUNED]
    if "stylization" in run:
        parts += ["### A whole stylization\n", stylization_table(run["stylization"]["runs"])]
    return "\n".join(parts)


def measured_row(run: Result, precision: str, side: int, batch: int) -> Optional[Result]:
    for row in run.get("iteration", {}).get("rows", []):
        if (row["precision"], row["size"], row["batch"]) == (precision, side, batch):
            return row if "seconds" in row else None
    return None


def smallest_ratio(run: Result, form: str) -> Optional[float]:
    """Of this form of PyTorch, whichever precision is fastest, at 512² one by one."""
    for row in run.get("peers", {}).get("rows", []):
        own = own_seconds(row, "bf16")
        if (row["size"], row["batch"]) == DETAILED and own:
            times = [c.get("seconds_per_iteration") for c in row["contenders"] if c["form"] == form]
            known = [seconds for seconds in times if seconds]
            return min(known) / own if known else None
    return None


def targets(run: Result) -> str:
    """What is to be reached on an H100, predicted and measured."""

    def of_row(precision: str, side: int, batch: int, show: str) -> str:
        row = measured_row(run, precision, side, batch)
        if row is None or row[show] is None:
            return "–"
        value = row[show]
        if show == "seconds":
            return f"{fine(value)} ms"
        return f"{value / 1e9:.1f} GB" if show == "device_bytes" else f"{value:.0f}"

    def against(form: str) -> str:
        ratio = smallest_ratio(run, form)
        return "–" if ratio is None else f"{ratio:.2f} ×"

    rows = [
        ["512², bf16", "0.675 ms", "≤ 0.95 ms", of_row("bf16", 512, 1, "seconds")],
        ["512², tf32", "1.34 ms", "≤ 1.7 ms", of_row("tf32", 512, 1, "seconds")],
        [
            "512², bf16, batch 8, images·iterations/s",
            "1480",
            "≥ 1300",
            of_row("bf16", 512, 8, "image_iterations_per_second"),
        ],
        ["4096², bf16, memory", "", "≤ 24 GB", of_row("bf16", 4096, 1, "device_bytes")],
        ["512², PyTorch eager / Impasto bf16", "", "≥ 4 ×", against("eager")],
        ["512², tuned eager / Impasto bf16", "", "≥ 2 ×", against("tuned eager")],
        ["512², compiled / Impasto bf16", "", "≥ 1.3 ×", against("compiled")],
    ]
    return table(("on an H100", "predicted floor", "to reach", "measured"), rows)
