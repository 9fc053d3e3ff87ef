#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the tables of measurements into the pages that show them.

A page holds a pair of markers, <!-- benchmark:NAME --> and <!-- /benchmark -->, on lines of their
own; what stands between them is replaced by the table NAME, one for each machine under
benchmarks/results/ that has what it needs. Rehearsals are refused. With --check nothing is written
and a page out of date ends the script with 8.
"""

import argparse
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Tuple

import context
from results import KINDS, OTHER_STEPS, SECONDS, by_kind, parse, plain_name

Result = Dict[str, Any]
OUT_OF_DATE = 8
PAGES = ("README.md", "docs/performance.md", "docs/kernels.md")
MARKERS = re.compile(r"(<!-- benchmark:(\w+) -->\n).*?(<!-- /benchmark -->)", re.DOTALL)
NONE = "–"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Markdown, the first column to the left and the others to the right."""
    lines = [header, ["---"] + ["--:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def milliseconds(seconds: float) -> str:
    value = 1e3 * seconds
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


# A CPU beside PyTorch: cpu_vs_pytorch.json.


def cpu_caption(result: Result) -> str:
    about, cpu = result["context"], result["context"]["cpu"]
    place = f"{cpu['name']} (family {cpu['family']}, model {cpu['model']})"
    virtual = ", virtual machine" if cpu["hypervisor"] else ""
    dirty = " with changes" if about["dirty"] else ""
    return (
        f"{place}{virtual}, {result['threads']} threads, {result['size']}×{result['size']}; "
        f"commit {about['commit'][:10]}{dirty}, {about['date']}.\n"
    )


def contenders_table(result: Result, contenders: Iterable[Result]) -> str:
    own = result["contenders"][0]["seconds_per_iteration"]
    rows = []
    for one in contenders:
        form = f", {one['form']}" if one["form"] else ""
        difference = one["largest_loss_difference"]
        rows.append(
            [
                f"{one['program']}, {one['precision']}{form}",
                milliseconds(one["seconds_per_iteration"]),
                f"{one['seconds_per_iteration'] / own:.2f}",
                f"{one['peak_memory_bytes'] / 2**20:.0f}",
                f"{difference:.0e}" if difference > 0 else NONE,
            ]
        )
    return table(("", "ms per iteration", "relative", "peak MiB", "loss differs by"), rows)


def cpu_vs_pytorch(result: Result) -> str:
    """Of each program and precision the fastest form."""
    fastest: Dict[Any, Result] = {}
    for one in result["contenders"]:
        best = fastest.setdefault((one["program"], one["precision"]), one)
        if one["seconds_per_iteration"] < best["seconds_per_iteration"]:
            fastest[one["program"], one["precision"]] = one
    return contenders_table(result, fastest.values())


def cpu_vs_pytorch_all(result: Result) -> str:
    return contenders_table(result, result["contenders"])


def iteration_vs_convolutions(result: Result) -> str:
    """Impasto's iterations against its convolutions timed alone."""
    rows = []
    for one in result["contenders"]:
        if one["program"] == "Impasto":
            ways = tuple(f"{way}/{one['precision']}/" for way in ("forward", "gradient"))
            seconds = result["convolution_seconds"].items()
            alone = sum(value for name, value in seconds if name.startswith(ways))
            whole = one["seconds_per_iteration"]
            ratio = f"{whole / alone:.2f}"
            rows.append([one["precision"], milliseconds(whole), milliseconds(alone), ratio])
    return table(("", "ms per iteration", "ms convolutions alone", "ratio"), rows)


def iteration_steps(result: Result) -> str:
    """Where an iteration's time goes, by kind of step."""
    columns = {}
    for precision in sorted({name.split("/")[1] for name in result["step_seconds"]}, reverse=True):
        steps = {n: s for n, s in result["step_seconds"].items() if n.split("/")[1] == precision}
        columns[precision] = by_kind(steps)
    header = ["", *(cell for precision in columns for cell in (f"{precision} ms", "share"))]
    rows = []
    for kind in dict.fromkeys((*KINDS.values(), OTHER_STEPS)):
        if any(kind in column for column in columns.values()):
            row = [kind]
            for column in columns.values():
                seconds = column.get(kind, 0.0)
                row += [milliseconds(seconds), f"{100 * seconds / sum(column.values()):.1f} %"]
            rows.append(row)
    return table(header, rows)


def ceilings(result: Result) -> str:
    """What the machine can do at most, on one thread and on all."""
    names = {
        "fma/256": "multiply-adds, AVX2",
        "fma/512": "multiply-adds, AVX-512",
        "bf16_dot/512": "multiply-adds, vdpbf16ps",
        "copy": "copying",
    }
    rates = {**result["flops"], **result["bytes_per_second"]}
    counts = sorted({int(name.rsplit("/", 1)[1]) for name in rates})
    rows = []
    for name, label in names.items():
        measured = [rates.get(f"{name}/{count}") for count in counts]
        if None not in measured:
            unit = "GB/s" if name == "copy" else "GFLOP/s"
            rows.append([f"{label}, {unit}", *(f"{rate / 1e9:.0f}" for rate in measured)])
    return table(("", *(f"{count} thread{'s'[:count > 1]}" for count in counts)), rows)


# What our own programs write.


def program_caption(result: Result) -> str:
    about = result["context"]
    dirty = " with changes" if about["dirty"] == "true" else ""
    return (
        f"{about['device']}; commit {about['commit'][:10]}{dirty}, {about['date'][:10]}, load "
        f"before {about['load_avg'][0]:.1f}.\n"
    )


def iteration_scaling(result: Result) -> str:
    """Milliseconds of an iteration for each picture, by size and batch."""
    seconds: Dict[Tuple[int, int], Dict[str, List[float]]] = {}
    for row in result["benchmarks"]:
        parts = parse(plain_name(row["name"]))
        times = seconds.setdefault((parts.batch, parts.size), {}).setdefault(parts.precision, [])
        times.append(row["real_time"] * SECONDS[row["time_unit"]] / parts.batch)
    shapes = sorted(seconds)
    precisions = list(dict.fromkeys(name for times in seconds.values() for name in times))
    rows = [
        [name, *(milliseconds(median(seconds[shape][name])) for shape in shapes)]
        for name in precisions
    ]
    header = [f"{size}²" if batch == 1 else f"{size}², batch {batch}" for batch, size in shapes]
    return table(("ms per picture", *header), rows)


LADDER_SHAPE = "16x16x64"


def ladders(result: Result) -> str:
    """Every rung: how often it moves what has to be moved. Maps in bf16 where it can."""
    shown = {}
    for row in result["benchmarks"]:
        op, rung, shape, precision = row["name"].split("/")[:4]
        if shape == LADDER_SHAPE and (precision == "bf16" or (op, rung) not in shown):
            shown[op, rung] = row
    rows = []
    for (op, rung), row in shown.items():
        _, number, *words = rung.split("_")
        moved = row["loaded_bytes"] + row["stored_bytes"]
        counts = ("shared_requests", "bank_conflicts", "barriers")
        rows.append(
            [
                f"{op} {number}: {' '.join(words)}",
                row["label"],
                f"{moved / row['bytes']:.2f}",
                f"{row['sectors_per_request']:.1f}",
                *(f"{row[count]:.0f}" for count in counts),
            ]
        )
    header = ("rung", "idea", "bytes asked for / to be moved", "sectors per request")
    return table((*header, "shared requests", "bank conflicts", "barriers"), rows)


def ladders_caption(_: Result) -> str:
    maps = "maps of 16×16×64 in bf16, pictures of 16×16 in float"
    return f"Counted on the host-SIMT machine, not timed: {maps}.\n"


def kernel_resources(result: Result) -> str:
    """One row for each kernel: its most demanding instance, architecture by architecture."""
    kernels: Dict[Tuple[str, str], Dict[str, List[Result]]] = {}
    for row in result["kernels"]:
        name = row["kernel"].split("<")[0]
        kernels.setdefault((row["op"], name), {}).setdefault(row["architecture"], []).append(row)
    architectures = list(dict.fromkeys(row["architecture"] for row in result["kernels"]))
    rows = []
    for (op, name), by_architecture in sorted(kernels.items()):
        every = [row for rows_of_one in by_architecture.values() for row in rows_of_one]
        most = [str(max(row[key] for row in every)) for key in ("threads", "shared_bytes", "spill_bytes")]
        cells = [
            f"{max(row['registers'] for row in by_architecture[architecture])} / "
            f"{min(row['occupancy'] for row in by_architecture[architecture]):.0%}"
            for architecture in architectures
        ]
        rows.append([f"{op}: `{name}`", *most, *cells])
    header = ("kernel", "threads", "static shared bytes", "spilled bytes")
    return table((*header, *(f"sm_{architecture}" for architecture in architectures)), rows)


def kernel_resources_caption(result: Result) -> str:
    return f"nvcc {result['nvcc']}.\n"


# A run on a GPU: its stages by name, as benchmarks/gpu/run.py wrote them; any may be missing.

STAGES = ("environment", "tests", "tuning", "iteration", "stylization", "peers", "determinism") + (
    "ladders",
    "sanitizer",
)
NOTHING_YET = "No measurements yet.\n"
UNTUNED = "\\* with the libraries' first plans, not the fastest of several.\n"
VERSIONS = (("CUDA", "cuda"), ("cuDNN", "cudnn"), ("PyTorch", "torch"))
DETAILED = (512, 1)  # side and batch of the breakdown
LOSERS = 5


def gpu_caption(run: Result) -> str:
    about = next(iter(run.values()))["context"]
    gpu, pytorch = about["gpu"] or {}, about["pytorch"] or {}
    parts = [gpu.get("name", "unknown GPU"), f"driver {gpu.get('driver_version', 'unknown')}"]
    parts += [f"{name} {pytorch[key]}" for name, key in VERSIONS if pytorch.get(key)]
    clocks = next((s["clocks"]["clocks.sm"] for s in run.values() if s.get("clocks")), None)
    if clocks:
        parts.append(f"SM clock {clocks['median']:.0f} MHz under load")
    held = [name for name, one in run.items() if one.get("throttled")]
    if held:
        parts.append(f"throttled during {', '.join(held)}")
    dirty = " with changes" if about["dirty"] else ""
    cut = [name for name, one in run.items() if not one["complete"] and not one["skipped"]]
    cut_short = f" Cut short: {', '.join(cut)}." if cut else ""
    return f"{', '.join(parts)}; commit {about['commit'][:10]}{dirty}, {about['date']}.{cut_short}\n"


def fine(seconds: float) -> str:
    """Milliseconds with three digits."""
    return f"{1e3 * seconds:.3g}"


def shape_of(row: Result) -> str:
    batch = f", batch {row['batch']}" if row["batch"] > 1 else ""
    return f"{row['size']}²{batch}" + ("" if row["tuned"] else " *")


def by_shape(rows: List[Result], columns: Dict[str, Callable[[Result], str]]) -> str:
    """A line for each shape that was measured; `columns` of each precision."""
    precisions = list(dict.fromkeys(row["precision"] for row in rows))
    shapes: Dict[str, Dict[str, Result]] = {}
    for row in sorted(rows, key=lambda row: (row["batch"], row["size"])):
        if "seconds" in row:
            shapes.setdefault(shape_of(row), {})[row["precision"]] = row
    header = [name.format(precision) for precision in precisions for name in columns]
    lines = [
        [shape] + [show(found[one]) if one in found else NONE for one in precisions for show in columns.values()]
        for shape, found in shapes.items()
    ]
    return table(["", *header], lines)


def share_of_floor(row: Result) -> str:
    floor = row["floor_seconds"]
    return fine(row["seconds"]) + ("" if floor is None else f" ({floor / row['seconds']:.0%})")


def gibibytes(row: Result) -> str:
    return f"{row['device_bytes'] / 2**30:.2f}" if row["device_bytes"] else NONE


def micro(seconds: Optional[float]) -> str:
    return NONE if seconds is None else f"{1e6 * seconds:.1f}"


def steps_tables(rows: List[Result]) -> List[str]:
    """By kind of step microseconds beside the floor, and the steps that lose most."""
    chosen = [row for row in rows if (row["size"], row["batch"]) == DETAILED and "steps" in row]
    header = ["", *(cell for row in chosen for cell in (f"{row['precision']} µs", "floor µs"))]
    columns = []
    for row in chosen:
        columns.append(by_kind({step["name"]: step["seconds"] for step in row["steps"]}))
        columns.append(by_kind({step["name"]: step["floor_seconds"] or 0.0 for step in row["steps"]}))
    kinds = [kind for kind in dict.fromkeys((*KINDS.values(), OTHER_STEPS)) if any(kind in c for c in columns)]
    breakdown = [[kind, *(micro(column.get(kind)) for column in columns)] for kind in kinds]
    losers = []
    for row in chosen:
        known = [step for step in row["steps"] if step["floor_seconds"] is not None]
        for step in sorted(known, key=lambda step: step["floor_seconds"] - step["seconds"])[:LOSERS]:
            lost = step["seconds"] - step["floor_seconds"]
            cells = (step["seconds"], step["floor_seconds"], lost)
            losers.append([f"{row['precision']}: {step['name']}", *map(micro, cells)])
    return [table(header, breakdown), table(("step", "µs", "floor µs", "lost µs"), losers)]


def own_seconds(row: Result, precision: str) -> Optional[float]:
    for one in row["contenders"]:
        if one["program"] == "Impasto" and one["precision"] == precision:
            return one.get("seconds_per_iteration")
    return None


def peers_table(rows: List[Result]) -> str:
    """Every contender's milliseconds; of PyTorch also how many times Impasto's in bf16."""

    def named(one: Result) -> str:
        return " ".join(filter(None, (one["program"], one["form"], one["precision"])))

    names = list(dict.fromkeys(named(one) for row in rows for one in row["contenders"]))
    lines = []
    for row in rows:
        own = own_seconds(row, "bf16")
        found = {named(one): one for one in row["contenders"]}
        line = [shape_of(row)]
        for name in names:
            seconds = found.get(name, {}).get("seconds_per_iteration")
            cell = NONE if seconds is None else fine(seconds)
            if seconds is not None and own is not None and found[name]["program"] != "Impasto":
                cell += f" ({seconds / own:.2f}×)"
            line.append(cell)
        lines.append(line)
    return table(("ms", *names), lines)


def verdict(stage: Result) -> str:
    if stage["skipped"]:
        return f"not run: {stage['skipped']}"
    if stage["failures"]:
        return f"**failed**: {stage['failures'][0].splitlines()[0]}"
    return "passed" if stage["complete"] else "cut short"


def gpu_run(run: Result) -> str:
    """Everything a run has shown."""
    parts = ["### Outcome\n", table(("stage", "outcome"), [[name, verdict(one)] for name, one in run.items()])]
    if "iteration" in run:
        rows = run["iteration"]["rows"]
        parts += ["### One iteration, and how much of it is the floor of its work\n"]
        parts += [by_shape(rows, {"{} ms (floor)": share_of_floor}), UNTUNED]
        parts += ["### Throughput and device memory\n"]
        throughput = {"{} images·iterations/s": lambda row: f"{row['image_iterations_per_second']:.0f}"}
        parts += [by_shape(rows, {**throughput, "GiB": gibibytes})]
        parts += ["### Steps at 512²\n", *steps_tables(rows)]
    if "peers" in run:
        parts += ["### Beside PyTorch, in brackets times Impasto in bf16\n"]
        parts += [peers_table(run["peers"]["rows"]), UNTUNED]
    if "stylization" in run:
        lines = [
            [name, f"{one['last_loss']:.6g}", f"{one['difference_from_fp32']:.1e}", f"{one['seconds']:.2f}"]
            for name, one in run["stylization"]["runs"].items()
        ]
        parts += ["### A whole stylization\n", table(("", "last loss", "differs from fp32 by", "s"), lines)]
    return "\n".join(parts)


def smallest_ratio(run: Result, form: str) -> Optional[float]:
    """Of this form of PyTorch, whichever precision is fastest, at 512² one by one."""
    for row in run.get("peers", {}).get("rows", []):
        own = own_seconds(row, "bf16")
        if (row["size"], row["batch"]) == DETAILED and own:
            times = [c.get("seconds_per_iteration") for c in row["contenders"] if c["form"] == form]
            known = [seconds for seconds in times if seconds]
            return min(known) / own if known else None
    return None


def gpu_targets(run: Result) -> str:
    """What is to be reached on an H100, and what was measured."""

    def of_row(precision: str, side: int, batch: int, key: str, show: Callable[[float], str]) -> str:
        for row in run.get("iteration", {}).get("rows", []):
            if (row["precision"], row["size"], row["batch"]) == (precision, side, batch):
                return show(row[key]) if row.get(key) is not None else NONE
        return NONE

    def against(form: str) -> str:
        ratio = smallest_ratio(run, form)
        return NONE if ratio is None else f"{ratio:.2f} ×"

    def in_ms(seconds: float) -> str:
        return f"{fine(seconds)} ms"

    many = of_row("bf16", 512, 8, "image_iterations_per_second", lambda value: f"{value:.0f}")
    memory = of_row("bf16", 4096, 1, "device_bytes", lambda value: f"{value / 1e9:.1f} GB")
    rows = [
        ["512², bf16", "≤ 0.95 ms", of_row("bf16", 512, 1, "seconds", in_ms)],
        ["512², tf32", "≤ 1.7 ms", of_row("tf32", 512, 1, "seconds", in_ms)],
        ["512², bf16, batch 8, images·iterations/s", "≥ 1300", many],
        ["4096², bf16, memory", "≤ 24 GB", memory],
        ["512², PyTorch eager / Impasto bf16", "≥ 4 ×", against("eager")],
        ["512², tuned eager / Impasto bf16", "≥ 2 ×", against("tuned eager")],
        ["512², compiled / Impasto bf16", "≥ 1.3 ×", against("compiled")],
    ]
    return table(("on an H100", "to reach", "measured"), rows)


@dataclass(frozen=True)
class Table:
    """A table of the pages: the file of results it is made of, and how.

    The source "gpu" is all stages of a GPU run, by name. `missing` stands where no machine has any.
    """

    source: str
    make: Callable[[Result], str]
    caption: Callable[[Result], str] = cpu_caption
    missing: str = ""


TABLES = {
    "cpu_vs_pytorch": Table("cpu_vs_pytorch.json", cpu_vs_pytorch),
    "cpu_vs_pytorch_all": Table("cpu_vs_pytorch.json", cpu_vs_pytorch_all),
    "iteration_vs_convolutions": Table("cpu_vs_pytorch.json", iteration_vs_convolutions),
    "iteration_steps": Table("cpu_vs_pytorch.json", iteration_steps),
    "iteration_scaling": Table("iteration_bench.json", iteration_scaling, program_caption),
    "ceilings": Table("cpu_vs_pytorch.json", ceilings),
    "ladders": Table("ladders.json", ladders, ladders_caption),
    "kernel_resources": Table("kernel_resources.json", kernel_resources, kernel_resources_caption),
    "gpu": Table("gpu", gpu_run, gpu_caption, NOTHING_YET),
    "gpu_targets": Table("gpu", gpu_targets, gpu_caption, gpu_targets({})),
}


def rendered(text: str, results: Dict[str, Sequence[Result]]) -> str:
    """`results` by the name of their files, one for each machine."""

    def replace(match: "re.Match[str]") -> str:
        shown = TABLES[match.group(2)]
        tables = [
            f"\n{shown.make(result)}\n{shown.caption(result)}\n"
            for result in results.get(shown.source, [])
        ]
        if not tables and shown.missing:
            tables = [f"\n{shown.missing}\n"]
        return match.group(1) + "".join(tables) + match.group(3)

    return MARKERS.sub(replace, text)


def read_result(path: Path) -> Result:
    result: Result = json.loads(path.read_text(encoding="utf-8"))
    if result.get("rehearsal"):
        raise SystemExit(f"{path}: a rehearsal on a CPU is no measurement of a GPU")
    return result


def gpu_runs() -> List[Result]:
    """The stages of each machine's GPU run."""
    folders = sorted(path.parent for path in context.result_paths("environment.json"))
    return [
        {stage: read_result(folder / f"{stage}.json") for stage in STAGES if (folder / f"{stage}.json").exists()}
        for folder in folders
    ]


def stale_pages() -> List[Tuple[Path, str]]:
    """The pages that do not show the results as they are, and what they should contain."""
    results = {
        source: [read_result(path) for path in context.result_paths(source)]
        for source in {shown.source for shown in TABLES.values()} - {"gpu"}
    }
    results["gpu"] = gpu_runs()
    stale = []
    for page in PAGES:
        path = context.REPOSITORY / page
        old = path.read_text(encoding="utf-8")
        new = rendered(old, results)
        if new != old:
            stale.append((path, new))
    return stale


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="only say whether pages are current")
    arguments = parser.parse_args()
    stale = stale_pages()
    for path, text in stale:
        print(f"{path.name}: {'out of date' if arguments.check else 'written'}")
        if not arguments.check:
            path.write_text(text, encoding="utf-8")
    return OUT_OF_DATE if arguments.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
