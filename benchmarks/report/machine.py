# SPDX-License-Identifier: MIT
"""All results of one machine: the files of one folder under results/."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Dict, List, Sequence

from report import words
from report.ceilings import IN_CONTEXT
from report.races import Race
from report.results import Results, read_folder
from report.roofs import Roofs, roofs_of
from report.rows import Row, truthy

# What Google Benchmark says of itself and the host; the rest of a context is ours.
PLAIN = {
    "host_name", "executable", "num_cpus", "cpu_scaling_enabled", "caches", "library_build_type",
    "json_schema_version", "aslr_enabled", "date", "device", "commit", "dirty", "cpu", "size",
    "load_avg", "load_average_before", "mhz_per_cpu",
}  # fmt: skip


GRAM, STYLE_LOSS = " Gram matrix", " style loss"


def with_whole_style_losses(steps: List[Row]) -> List[Row]:
    """Where a Gram matrix was a step of its own, as it once was, it is joined to the loss."""
    products = {(row.file, row.name): row for row in steps if row.name.endswith(GRAM)}
    joined = []
    for row in steps:
        product = products.get((row.file, row.name.replace(STYLE_LOSS, GRAM)))
        if product is None:
            joined.append(row)
        elif row is not product:
            counters = {
                key: value + product.counters[key] if key in ("flops", "bytes") else value
                for key, value in row.counters.items()
            }
            joined.append(replace(row, seconds_of=(row.seconds + product.seconds,), counters=counters))
    return joined


@dataclass(frozen=True)
class Machine:
    folder: Path
    files: List[Results]

    @property
    def rows(self) -> List[Row]:
        return [row for results in self.files for row in results.rows]

    @property
    def timed(self) -> List[Row]:
        return [row for row in self.rows if not row.is_ceiling and not row.is_counted]

    @property
    def counted(self) -> List[Row]:
        return [row for row in self.rows if row.is_counted]

    @property
    def roofs(self) -> Roofs:
        return roofs_of(self.rows)

    @property
    def races(self) -> List[Race]:
        return [race for results in self.files for race in results.races]

    @property
    def name(self) -> str:
        return words.device(self.files[0].context)

    @property
    def refused(self) -> List[str]:
        return [sentence for results in self.files for sentence in results.refused]

    @property
    def is_gpu(self) -> bool:
        contexts = [results.context for results in self.files]
        return any("driver" in one or one.get("gpu") for one in contexts) or "NVIDIA" in self.name

    def iterations(self) -> List[Row]:
        return [row for row in self.timed if row.parts.op == "iteration"]

    def steps(self) -> List[Row]:
        """Of one picture; a batch has no more kinds of steps."""
        rows = [row for row in self.timed if row.parts.op == "step" and row.parts.batch == 1]
        return with_whole_style_losses(rows)

    def operations(self) -> Dict[str, List[Row]]:
        """Rows of operations measured alone, by operation."""
        found: Dict[str, List[Row]] = {}
        for row in self.timed:
            if row.parts.op not in ("iteration", "step"):
                found.setdefault(row.parts.op, []).append(row)
        return found


def flattened(context: Dict[str, Any]) -> List[str]:
    """What a context says besides the columns of its own, as "name value"."""
    found = []
    for key, value in context.items():
        if isinstance(value, dict):
            found += [f"{name} {one}" for name, one in value.items() if name != "name" and one]
        elif (
            value is not None
            and key not in PLAIN
            and not isinstance(value, list)
            and not key.startswith(IN_CONTEXT)
        ):
            found.append(f"{key} {value}")
    return found


def provenance(results: Results) -> List[str]:
    """A file's line in the table of origins."""
    context = results.context
    load = context.get("load_average_before", (context.get("load_avg") or [None])[0])
    others = flattened({key: value for key, value in context.items() if key != "cpu"})
    others += (context.get("cpu") or {}).get("flags", [])
    commit = str(context["commit"])[:10] if "commit" in context else "not recorded"
    return [
        results.file.name,
        words.device(context),
        commit + (" + changes" if truthy(context.get("dirty")) else ""),
        str(context["date"])[:10] if "date" in context else "not recorded",
        "not recorded" if load is None else f"{float(load):.1f}",
        "; ".join(filter(None, [results.note, ", ".join(others)])),
    ]


def read_machines(folders: Sequence[Path]) -> List[Machine]:
    """Only folders that hold something to show; `nvcc` holds what the compiler says, no times."""
    machines = []
    for folder in folders:
        files = read_folder(folder)
        if files:
            machines.append(Machine(folder, files))
    return machines
