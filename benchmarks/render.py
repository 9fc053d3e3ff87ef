#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the tables of measurements into the pages that show them.

A page holds a pair of markers, <!-- benchmark:NAME --> and <!-- /benchmark -->, on lines of their
own; what stands between them is replaced by the table NAME, one for each machine under
benchmarks/results/ that has what it needs. Rehearsals are refused.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Tuple

import context
from prediction import H100, gpu_of, predict
from results import (KINDS, Contender, Machine, ResultError, Row, commit_of, device_name, load_before, passed,
                     read_machine)  # fmt: skip
from strips_model import efficiency_rows

PAGES = ("README.md", "docs/performance.md", "docs/kernels.md", "docs/gram_ladder.md")
MARKERS = re.compile(r"(<!-- benchmark:(\w+) -->\n).*?(<!-- /benchmark -->)", re.DOTALL)
NONE = "–"
DETAILED = (512, 1)  # side and batch of the breakdown and of the comparison with PyTorch


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Markdown, the first column to the left and the others to the right; nothing without rows."""
    rows = list(rows)
    if not rows:
        return ""
    lines = [header, ["---"] + ["--:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def milliseconds(seconds: float) -> str:
    value = 1e3 * seconds
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def caption(about: Dict[str, Any]) -> str:
    """Where and from what a table was measured."""
    virtual = ", virtual machine" if (about.get("cpu") or {}).get("hypervisor") else ""
    load = load_before(about)
    busy = "" if load is None else f", load before {load:.1f}"
    return f"{device_name(about)}{virtual}; commit {commit_of(about)}, {about['date'][:10]}{busy}.\n"


# Tables of a CPU.


def contenders_table(contenders: Sequence[Contender], own: Optional[float]) -> str:
    """Relative to our own time. A contender that could not be timed has dashes."""
    rows = []
    for one in contenders:
        name = f"{one.program}, {one.precision}{', ' if one.form else ''}{one.form}"
        seconds = [milliseconds(one.seconds), f"{one.seconds / own:.2f}"] if one.seconds and own else [NONE, NONE]
        memory = f"{one.peak_memory_bytes / 2**20:.0f}" if one.peak_memory_bytes else NONE
        rows.append([name, *seconds, memory, f"{one.difference:.0e}" if one.difference > 0 else NONE])
    return table(("", "ms per iteration", "relative", "peak MiB", "loss differs by"), rows)


def cpu_vs_pytorch(machine: Machine) -> str:
    """Of each program and precision the fastest form."""
    if not machine.comparisons:
        return ""
    contenders = machine.comparisons[0].contenders
    fastest: Dict[Tuple[str, str], Contender] = {}
    for one in sorted(contenders, key=lambda one: one.seconds or 0, reverse=True):
        fastest[one.program, one.precision] = one
    return contenders_table([one for one in contenders if one in fastest.values()], contenders[0].seconds)


def cpu_vs_pytorch_all(machine: Machine) -> str:
    """Everyone at every size."""
    return "\n".join(
        f"{one.size}²:\n\n{contenders_table(one.contenders, one.contenders[0].seconds)}"
        for one in machine.comparisons
    )


def iteration_steps(machine: Machine) -> str:
    """Where an iteration's time goes, by kind of step: its share, and the least that its work takes where that is
    known. At 512² or the size nearest to it."""
    header, columns = [""], []
    for precision, steps in machine.detailed_steps().items():
        columns.append(machine.seconds_and_floors(steps))
        header += [f"{precision} ms", "share", *(["floor"] if columns[-1][1] else [])]
    rows = []
    for kind in KINDS:
        row = [kind]
        for seconds, floors in columns:
            taken = seconds.get(kind, 0.0)
            row += [milliseconds(taken), f"{100 * taken / sum(seconds.values()):.1f} %"]
            row += [milliseconds(floors.get(kind, 0.0))] if floors else []
        if any(kind in seconds for seconds, _ in columns):
            rows.append(row)
    return table(header, rows)


def ceilings(machine: Machine) -> str:
    """What the machine can do at most, on one thread and on all."""
    names = {"fma/256": "multiply-adds, AVX2", "fma/512": "multiply-adds, AVX-512",
             "bf16_dot/512": "multiply-adds, vdpbf16ps", "copy": "copying"}  # fmt: skip
    rates = {**machine.roofs.flops, **machine.roofs.bytes_per_second}
    counts = sorted({int(name.rsplit("/", 1)[1]) for name in rates})
    rows = []
    for name, label in names.items():
        measured = [rates.get(f"{name}/{count}") for count in counts]
        if None not in measured:
            unit = "GB/s" if name == "copy" else "GFLOP/s"
            rows.append([f"{label}, {unit}", *(f"{(rate or 0) / 1e9:.0f}" for rate in measured)])
    return table(("", *(f"{count} thread{'s'[:count > 1]}" for count in counts)), rows)


def shape_text(size: int, batch: int, tuned: bool) -> str:
    return f"{size}²" + (f", batch {batch}" if batch > 1 else "") + ("" if tuned else " *")


def by_shape(rows: List[Row], columns: Dict[str, Callable[[Row], str]]) -> str:
    """A line for each shape that was measured; `columns` of each precision."""
    precisions = list(dict.fromkeys(row.parts.precision for row in rows))
    shapes: Dict[str, Dict[str, Row]] = {}
    for row in sorted(rows, key=lambda row: (row.parts.batch, row.parts.size)):
        tuned = row.counters.get("tuned", 1) > 0
        shapes.setdefault(shape_text(row.parts.size, row.parts.batch, tuned), {})[row.parts.precision] = row
    header = [name.format(precision) for precision in precisions for name in columns]
    lines = [
        [shape] + [show(found[one]) if one in found else NONE for one in precisions for show in columns.values()]
        for shape, found in shapes.items()
    ]
    return table(["", *header], lines)


def iteration_scaling(machine: Machine) -> str:
    """Milliseconds of an iteration for each picture."""
    per_picture = {"{} ms per picture": lambda row: milliseconds(row.seconds / row.parts.batch)}
    return by_shape(machine.timed("iteration"), per_picture)


# Tables of kernels.

LADDER_SHAPE = "16x16x64"


def ladders(machine: Machine) -> str:
    """Every rung: how often it moves what has to be moved. Maps in bf16 where it can."""
    shown: Dict[Tuple[str, str], Row] = {}
    for row in machine.rows:
        key = (row.parts.op, row.parts.variant)
        if row.parts.layer == LADDER_SHAPE and (row.parts.precision == "bf16" or key not in shown):
            shown[key] = row
    rows = []
    for (op, _), row in shown.items():
        counts = (row.counters[name] for name in ("shared_requests", "bank_conflicts", "barriers"))
        rung = row.parts.rung.replace(" ", ": ", 1)
        ratios = (f"{row.traffic:.2f}", f"{row.counters['sectors_per_request']:.1f}")
        rows.append([f"{op} {rung}", row.label, *ratios, *(f"{count:.0f}" for count in counts)])
    header = ("rung", "idea", "bytes asked for / to be moved", "sectors per request")
    how = "Counted on the host-SIMT machine, not timed: maps of 16×16×64 in bf16, pictures of 16×16 in float."
    return f"{table((*header, 'shared requests', 'bank conflicts', 'barriers'), rows)}\n{how}\n"


def kernel_resources(result: Dict[str, Any]) -> str:
    """One row for each kernel: its most demanding instance, architecture by architecture."""
    kernels: Dict[Tuple[str, str], Dict[str, List[Dict[str, Any]]]] = {}
    for row in result["kernels"]:
        name = row["kernel"].split("<")[0]
        kernels.setdefault((row["op"], name), {}).setdefault(row["architecture"], []).append(row)
    architectures = list(dict.fromkeys(row["architecture"] for row in result["kernels"]))
    rows = []
    for (op, name), by_architecture in sorted(kernels.items()):
        every = sum(by_architecture.values(), [])
        most = [str(max(row[key] for row in every)) for key in ("threads", "shared_bytes", "spill_bytes")]
        cells = []
        for own in (by_architecture[architecture] for architecture in architectures):
            cells.append(f"{max(row['registers'] for row in own)} / {min(row['occupancy'] for row in own):.0%}")
        rows.append([f"{op}: `{name}`", *most, *cells])
    header = ("kernel", "threads", "static shared bytes", "spilled bytes")
    shown = table((*header, *(f"sm_{architecture}" for architecture in architectures)), rows)
    return f"{shown}\nnvcc {result['nvcc']}.\n"


def gram_prediction(machines: Sequence[Machine]) -> str:
    """What the model says of the Gram ladder in bf16 at the first and the last style layer, and what was measured."""
    measured = {row.name.removesuffix("/cold"): row.seconds for machine in machines for row in machine.rows
                if gpu_of(machine.name) == H100 and row.seconds_of and row.parts.cache == "cold"}  # fmt: skip
    tables = []
    for layer in ("conv1_1@512", "conv4_1@512"):
        rows = []
        for name, one in predict(H100).items():
            _, rung, where, precision, _ = name.split("/")
            if (where, precision) != (layer, "bf16"):
                continue
            first = one.first
            rows.append([rung.removeprefix("rung_").replace("_", " "), f"{first.blocks}", f"{first.blocks_per_sm}",
                         f"{first.waves:.2f}", f"{first.at_work:.0%}", f"{first.under_way / 1024:.0f}",
                         f"{1e6 * one.seconds:.1f}", first.bound,
                         f"{1e6 * measured[name]:.1f}" if name in measured else NONE])  # fmt: skip
        header = (layer, "blocks", "blocks an SM holds", "waves", "SMs at work", "KB under way in an SM",
                  "predicted µs", "bound by", "measured µs")  # fmt: skip
        tables.append(table(header, rows))
    return "\n".join(tables)


def strips() -> str:
    """What several GPUs gain at one picture, by the model."""
    return table(("task, link, picture", "ms on 1 GPU", "2 GPUs", "4 GPUs", "8 GPUs", "costs most"), efficiency_rows())


# Tables of a run on a GPU, as benchmarks/campaign/run.py wrote it; any stage may be missing.

NOTHING_YET = "No measurements yet.\n"
NOT_KEPT = "Not among the measurements that are kept; `./dev bench` takes it.\n"
UNTUNED = "\\* with the libraries' first plans, not the fastest of several.\n"


def gpu_caption(machine: Machine) -> str:
    stages = machine.stages
    about = next(iter(stages.values()))["context"]
    parts = [f"Driver {(about['gpu'] or {}).get('driver_version', 'unknown')}"]
    clocks = [one["clocks"]["clocks.sm"]["median"] for one in stages.values() if one.get("clocks")]
    parts += [f"SM clock {clock:.0f} MHz under load" for clock in clocks[:1]]
    held = [name for name, one in stages.items() if one.get("throttled")]
    parts += [f"throttled during {', '.join(held)}"] if held else []
    cut = [name for name, one in stages.items() if not one["complete"] and not one["skipped"]]
    parts += [f"cut short: {', '.join(cut)}"] if cut else []
    return f"{caption(about).rstrip()} {'; '.join(parts)}.\n"


def throughput(row: Row) -> str:
    return f"{row.parts.batch / row.seconds:.0f}"


def gibibytes(row: Row) -> str:
    return f"{row.counters['device bytes'] / 2**30:.2f}" if "device bytes" in row.counters else NONE


def verdict(stage: Dict[str, Any]) -> str:
    if stage["skipped"]:
        return f"not run: {stage['skipped']}"
    if stage["failures"]:
        return f"**failed**: {stage['failures'][0].splitlines()[0]}"
    return "passed" if passed(stage) else "cut short"


def gpu_run(machine: Machine) -> str:
    """Everything a run has shown."""
    rows = machine.timed("iteration")

    def share_of_floor(row: Row) -> str:
        floor = machine.floor(row)
        return milliseconds(row.seconds) + ("" if floor is None else f" ({floor / row.seconds:.0%})")

    outcomes = [[name, verdict(one)] for name, one in machine.stages.items()]
    parts = ["### Outcome\n", table(("stage", "outcome"), outcomes)]
    if rows:
        parts += ["### One iteration, and how much of it is the floor of its work\n"]
        parts += [by_shape(rows, {"{} ms (floor)": share_of_floor}), UNTUNED]
        parts += ["### Throughput and device memory\n"]
        parts += [by_shape(rows, {"{} images·iterations/s": throughput, "GiB": gibibytes})]
        parts += ["### Steps at 512²\n", iteration_steps(machine)]
    for one in machine.comparisons:
        parts += [f"### {shape_text(one.size, one.batch, one.tuned)} beside PyTorch, relative to Impasto in bf16\n"]
        parts += [contenders_table(one.contenders, one.ours("bf16"))]
    if "stylization" in machine.stages:
        lines = [
            [name, f"{one['last_loss']:.6g}", f"{one['difference_from_fp32']:.1e}", f"{one['seconds']:.2f}"]
            for name, one in machine.stages["stylization"]["runs"].items()
        ]
        parts += ["### A whole stylization\n", table(("", "last loss", "differs from fp32 by", "s"), lines)]
    return "\n".join(parts)


def gpu_targets(machine: Machine) -> str:
    """What is to be reached on an H100, and what was measured."""
    iterations = {(row.parts.precision, row.parts.size, row.parts.batch): row for row in machine.timed("iteration")}
    beside = next((one for one in machine.comparisons if (one.size, one.batch) == DETAILED), None)
    own = beside.ours("bf16") if beside else None

    def in_ms(row: Row) -> str:
        return f"{milliseconds(row.seconds)} ms"

    def in_gb(row: Row) -> str:
        return f"{row.counters['device bytes'] / 1e9:.1f} GB"

    goals = (
        ("512², bf16", "≤ 0.95 ms", ("bf16", 512, 1), in_ms),
        ("512², tf32", "≤ 1.7 ms", ("tf32", 512, 1), in_ms),
        ("512², bf16, batch 8, images·iterations/s", "≥ 1300", ("bf16", 512, 8), throughput),
        ("4096², bf16, memory", "≤ 24 GB", ("bf16", 4096, 1), in_gb),
    )
    rows = [[name, goal, show(iterations[key]) if key in iterations else NONE] for name, goal, key, show in goals]
    for form, goal in (("eager", "4"), ("tuned eager", "2"), ("compiled", "1.3")):
        times = [one.seconds for one in (beside.contenders if beside else ()) if one.form == form and one.seconds]
        name = "PyTorch eager" if form == "eager" else form
        times_own = f"{min(times) / own:.2f} ×" if own and times else NONE
        rows.append([f"512², {name} / Impasto bf16", f"≥ {goal} ×", times_own])
    return table(("on an H100", "to reach", "measured"), rows)


# A table of the pages, of every machine whose folder has the file; what stands there without one. Those whose
# names begin with gpu are of GPUs, the others of all other machines.
TABLES: Dict[str, Tuple[str, Callable[[Any], str], str]] = {
    "cpu_vs_pytorch": ("peers.json", cpu_vs_pytorch, ""),
    "cpu_vs_pytorch_all": ("peers.json", cpu_vs_pytorch_all, ""),
    "iteration_steps": ("iteration.json", iteration_steps, NOT_KEPT),
    "iteration_scaling": ("iteration.json", iteration_scaling, ""),
    "ceilings": ("environment.json", ceilings, NOT_KEPT),
    "ladders": ("ladders.json", ladders, ""),
    "gpu": ("environment.json", gpu_run, NOTHING_YET),
    "gpu_targets": ("environment.json", gpu_targets, gpu_targets(Machine(Path()))),
}


def rendered(text: str, machines: Sequence[Machine], compiled: Sequence[Dict[str, Any]] = ()) -> str:
    """A page's text with the tables of these machines; `compiled` is what the compiler said of the kernels."""

    def tables(name: str) -> List[str]:
        if name == "kernel_resources":
            return [kernel_resources(one) for one in compiled]
        if name == "gram_prediction":
            return [gram_prediction(machines)]
        if name == "strips":
            return [strips()]
        file, make, missing = TABLES[name]
        found = []
        for machine in machines:
            about = machine.contexts.get(file)
            made = make(machine) if about and machine.is_gpu == name.startswith("gpu") else ""
            if made:
                below = gpu_caption(machine) if machine.is_gpu else caption(about) if "commit" in about else ""
                found.append("\n".join(filter(None, (made, below))))
        return found or [missing] * bool(missing)

    def replace(match: "re.Match[str]") -> str:
        return match.group(1) + "".join(f"\n{one}\n" for one in tables(match.group(2))) + match.group(3)

    return MARKERS.sub(replace, text)


def stale_pages() -> List[Tuple[Path, str]]:
    """The pages that do not show the results as they are, and what they should contain."""
    machines = [read_machine(one) for one in context.kept_machines()]
    compiled = [json.loads(one.read_text(encoding="utf-8")) for one in context.results_folder("nvcc").glob("*.json")]
    stale = []
    for page in PAGES:
        path = context.REPOSITORY / page
        old = path.read_text(encoding="utf-8")
        new = rendered(old, machines, compiled)
        if new != old:
            stale.append((path, new))
    return stale


def main() -> None:
    context.parser(__doc__).parse_args()
    try:
        stale = stale_pages()
    except ResultError as error:
        sys.exit(f"render.py: {error}")
    for path, text in stale:
        print(f"{path.name}: written")
        context.replace_text(path, text)


if __name__ == "__main__":
    main()
