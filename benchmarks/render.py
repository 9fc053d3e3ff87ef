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
from typing import Any, Callable, Dict, Iterable, List, Sequence, Tuple

import context
import gpu_tables
from report import predictions, rung_predictions
from report.names import parse
from report.rows import SECONDS, plain_name
from report.work import KINDS, as_table, kind_of
from tables import Result, milliseconds, table

OUT_OF_DATE = 8
PAGES = ("README.md", "docs/performance.md", "docs/kernels.md", "docs/gpu_libraries.md")
MARKERS = re.compile(r"(<!-- benchmark:(\w+) -->\n).*?(<!-- /benchmark -->)", re.DOTALL)


def caption(result: Result) -> str:
    about, cpu = result["context"], result["context"]["cpu"]
    place = f"{cpu['name']} (family {cpu['family']}, model {cpu['model']})"
    virtual = ", virtual machine" if cpu["hypervisor"] else ""
    dirty = " with changes" if about["dirty"] else ""
    return (
        f"{place}{virtual}, {result['threads']} threads, {result['size']}×{result['size']}; "
        f"commit {about['commit'][:10]}{dirty}, {about['date']}.\n"
    )


def named(contender: Result) -> str:
    form = f", {contender['form']}" if contender["form"] else ""
    return f"{contender['program']}, {contender['precision']}{form}"


def difference(contender: Result) -> str:
    value = contender["largest_loss_difference"]
    return f"{value:.0e}" if value > 0 else "–"


def contender_rows(result: Result, contenders: Iterable[Result]) -> List[List[str]]:
    own = result["contenders"][0]["seconds_per_iteration"]
    return [
        [
            named(contender),
            milliseconds(contender["seconds_per_iteration"]),
            f"{contender['seconds_per_iteration'] / own:.2f}",
            f"{contender['peak_memory_bytes'] / 2**20:.0f}",
            difference(contender),
        ]
        for contender in contenders
    ]


CONTENDER_HEADER = ("", "ms per iteration", "relative", "peak MiB", "loss differs by")


def fastest_forms(contenders: Sequence[Result]) -> List[Result]:
    """Of each program and precision the fastest form."""
    fastest: Dict[Any, Result] = {}
    for contender in contenders:
        key = (contender["program"], contender["precision"])
        best = fastest.get(key, contender)
        if contender["seconds_per_iteration"] <= best["seconds_per_iteration"]:
            fastest[key] = contender
    return list(fastest.values())


def cpu_vs_pytorch(result: Result) -> str:
    return table(CONTENDER_HEADER, contender_rows(result, fastest_forms(result["contenders"])))


def cpu_vs_pytorch_all(result: Result) -> str:
    return table(CONTENDER_HEADER, contender_rows(result, result["contenders"]))


def summed(seconds: Dict[str, float], prefix: str) -> float:
    return sum(value for name, value in seconds.items() if name.startswith(prefix))


def iteration_vs_convolutions(result: Result) -> str:
    """Impasto's iterations against its convolutions timed alone."""
    rows = []
    for contender in result["contenders"]:
        if contender["program"] == "Impasto":
            precision = contender["precision"]
            alone = sum(
                summed(result["convolution_seconds"], f"{way}/{precision}/")
                for way in ("forward", "gradient")
            )
            whole = contender["seconds_per_iteration"]
            rows.append(
                [precision, milliseconds(whole), milliseconds(alone), f"{whole / alone:.2f}"]
            )
    return table(("", "ms per iteration", "ms convolutions alone", "ratio"), rows)


def iteration_steps(result: Result) -> str:
    """Where an iteration's time goes, by kind of step."""
    precisions = sorted({name.split("/")[1] for name in result["step_seconds"]}, reverse=True)
    columns: List[Dict[str, float]] = []
    for precision in precisions:
        kinds = {label: 0.0 for label, _ in KINDS}
        for name, seconds in result["step_seconds"].items():
            if name.split("/")[1] == precision:
                kinds[kind_of(name)] += seconds
        columns.append(kinds)
    header = [""]
    for precision in precisions:
        header += [f"{precision} ms", "share"]
    rows = []
    for label, _ in KINDS:
        if any(column[label] > 0 for column in columns):
            row = [label]
            for column in columns:
                share = column[label] / sum(column.values())
                row += [milliseconds(column[label]), f"{100 * share:.1f} %"]
            rows.append(row)
    return table(header, rows)


def iteration_scaling(result: Result) -> str:
    """Milliseconds of an iteration for each picture, by size and batch."""
    seconds: Dict[Tuple[int, int], Dict[str, List[float]]] = {}
    for row in result["benchmarks"]:
        parts = parse(plain_name(row["name"]))
        times = seconds.setdefault((parts.batch, parts.size), {})
        times.setdefault(parts.precision, []).append(
            row["real_time"] * SECONDS[row["time_unit"]] / parts.batch
        )
    shapes = sorted(seconds)
    precisions = list(dict.fromkeys(name for times in seconds.values() for name in times))
    rows = [
        [name, *(milliseconds(median(seconds[shape][name])) for shape in shapes)]
        for name in precisions
    ]
    header = [f"{size}²" if batch == 1 else f"{size}², batch {batch}" for batch, size in shapes]
    return table(("ms per picture", *header), rows)


def program_caption(result: Result) -> str:
    about = result["context"]
    dirty = " with changes" if about["dirty"] == "true" else ""
    return (
        f"{about['device']}; commit {about['commit'][:10]}{dirty}, {about['date'][:10]}, load "
        f"before {about['load_avg'][0]:.1f}.\n"
    )


def convolution_algorithms(result: Result) -> str:
    """All convolutions of one kind, summed, against the forward ones in fp32."""
    seconds = result["convolution_seconds"]
    rows = []
    for label, way in (
        ("forward with bias and ReLU, direct", "forward"),
        ("data gradient as a convolution of the rotated filters", "gradient"),
        ("data gradient, oneDNN's own", "backward_data"),
        ("forward, Winograd (not used)", "winograd"),
    ):
        sums = [summed(seconds, f"{way}/{precision}/") for precision in ("fp32", "bf16")]
        rows.append([label, *(milliseconds(value) if value > 0 else "–" for value in sums)])
    return table(("13 convolutions", "fp32 ms", "bf16 ms"), rows)


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
        cells = [
            f"{max(row['registers'] for row in by_architecture[architecture])} / "
            f"{min(row['occupancy'] for row in by_architecture[architecture]):.0%}"
            for architecture in architectures
        ]
        shared = max(row["shared_bytes"] for row in every)
        spilled = max(row["spill_bytes"] for row in every)
        threads = max(row["threads"] for row in every)
        rows.append([f"{op}: `{name}`", str(threads), str(shared), str(spilled), *cells])
    header = ("kernel", "threads", "static shared bytes", "spilled bytes")
    return table((*header, *(f"sm_{architecture}" for architecture in architectures)), rows)


def kernel_resources_caption(result: Result) -> str:
    return f"nvcc {result['nvcc']}.\n"


def ladders(result: Result) -> str:
    """Every rung: how often it moves what has to be moved. Maps in bf16 where it can."""
    shown = {}
    for row in result["benchmarks"]:
        op, rung, _, precision = row["name"].split("/")[:4]
        if precision == "bf16" or (op, rung) not in shown:
            shown[op, rung] = row
    rows = []
    for (op, rung), row in shown.items():
        _, number, *words = rung.split("_")
        moved = row["loaded_bytes"] + row["stored_bytes"]
        rows.append(
            [
                f"{op} {number}: {' '.join(words)}",
                row["label"],
                f"{moved / row['bytes']:.2f}",
                f"{row['sectors_per_request']:.1f}",
                f"{row['shared_requests']:.0f}",
                f"{row['bank_conflicts']:.0f}",
                f"{row['barriers']:.0f}",
            ]
        )
    header = ("rung", "idea", "bytes asked for / to be moved", "sectors per request")
    return table((*header, "shared requests", "bank conflicts", "barriers"), rows)


def ladders_caption(_: Result) -> str:
    maps = "maps of 16×16×64 in bf16, pictures of 16×16 in float"
    return f"Counted on the host-SIMT machine, not timed: {maps}.\n"


def engine_counts(result: Result) -> str:
    """One row for each graph and precision: the fewest and the most engines of any layer, by GPU."""
    cells: Dict[Tuple[str, str], Dict[str, str]] = {}
    for row in result["counts"]:
        fewest, most = row["fewest"], row["most"]
        shown = str(most) if fewest == most else f"{fewest}–{most}"
        cells.setdefault((row["graph"], row["precision"]), {})[row["gpu"]] = shown
    gpus = list(dict.fromkeys(row["gpu"] for row in result["counts"]))
    rows = [[graph, precision, *(by_gpu[gpu] for gpu in gpus)]
            for (graph, precision), by_gpu in sorted(cells.items())]
    return table(("graph", "precision", *gpus), rows)


def engine_counts_caption(result: Result) -> str:
    return (f"cuDNN {result['cudnn']}, asked without a GPU; conv1_1 to conv5_1 at 512², batch 1 and 8, "
            "style gradients batch 1.\n")


def predicted_floors(result: Result) -> str:
    work = as_table(result)
    return table(predictions.header(work), predictions.rows(work))


def predicted_floors_caption(_: Result) -> str:
    return "Predicted, not measured: preset coursera, batch 1, peaks from data sheets.\n"


def predicted_rungs(result: Result) -> str:
    work = as_table(result)
    return table(rung_predictions.header(), rung_predictions.shipped_rows(work))


def predicted_rungs_caption(_: Result) -> str:
    return "Predicted, not measured: FLOP executed and bytes asked for, over the peaks of data sheets.\n"


@dataclass(frozen=True)
class Table:
    """A table of the pages: the file of results it is made of, and how.

    The source "gpu" is all stages of a GPU run, by name. `missing` stands where no machine has any.
    """

    source: str
    make: Callable[[Result], str]
    caption: Callable[[Result], str] = caption
    missing: str = ""


TABLES = {
    "cpu_vs_pytorch": Table("cpu_vs_pytorch.json", cpu_vs_pytorch),
    "cpu_vs_pytorch_all": Table("cpu_vs_pytorch.json", cpu_vs_pytorch_all),
    "iteration_vs_convolutions": Table("cpu_vs_pytorch.json", iteration_vs_convolutions),
    "iteration_steps": Table("cpu_vs_pytorch.json", iteration_steps),
    "iteration_scaling": Table("iteration_bench.json", iteration_scaling, program_caption),
    "convolution_algorithms": Table("cpu_vs_pytorch.json", convolution_algorithms),
    "ceilings": Table("cpu_vs_pytorch.json", ceilings),
    "predicted_floors": Table("work.json", predicted_floors, predicted_floors_caption),
    "predicted_rungs": Table("work.json", predicted_rungs, predicted_rungs_caption),
    "ladders": Table("ladders.json", ladders, ladders_caption),
    "kernel_resources": Table(
        "kernel_resources.json", kernel_resources, kernel_resources_caption
    ),
    "engine_counts": Table("engine_counts.json", engine_counts, engine_counts_caption),
    "gpu": Table("gpu", gpu_tables.section, gpu_tables.caption, gpu_tables.NOTHING_YET),
    "gpu_targets": Table("gpu", gpu_tables.targets, gpu_tables.caption, gpu_tables.targets({})),
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
        {stage: read_result(folder / f"{stage}.json") for stage in gpu_tables.stages_in(folder)}
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
