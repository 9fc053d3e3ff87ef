# SPDX-License-Identifier: MIT
"""Files of results, read and judged: Google Benchmark's JSON and our own of the peers.

A row of an operation is accepted only when its result was checked in the process that timed it
(the counter `verified`). A file of a rehearsal is refused: it holds no measurements. Errors name
the file.
"""

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any, Dict, List, Optional, Sequence, Tuple

from report.names import Parts, parse

# Two measurements are divided, each with its noise. More than this above a roof is a mistake.
ROOF_TOLERANCE = 1.02
SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}
# What Google Benchmark writes beside a row's counters.
ROW_FIELDS = {
    "family_index",
    "per_family_instance_index",
    "repetitions",
    "repetition_index",
    "threads",
    "iterations",
    "real_time",
    "cpu_time",
}


def truthy(value: Any) -> bool:
    """Google Benchmark's context holds words: "true", "false"."""
    return value not in (False, None, "", "false", "0", 0)


class ResultError(Exception):
    """A file of results that cannot be used. The message names it."""


@dataclass(frozen=True)
class Row:
    """One benchmark: its name without the timer's suffixes, each repetition, median counters."""

    name: str
    file: Path
    seconds_of: Tuple[float, ...]
    counters: Dict[str, float] = field(default_factory=dict)
    context: Dict[str, Any] = field(default_factory=dict)

    @property
    def parts(self) -> Parts:
        return parse(self.name)

    @property
    def seconds(self) -> float:
        return median(self.seconds_of)

    @property
    def variation(self) -> Optional[float]:
        """Standard deviation over mean; unknown from one repetition."""
        return stdev(self.seconds_of) / mean(self.seconds_of) if len(self.seconds_of) > 1 else None

    def amount(self, name: str) -> float:
        """`flops` or `bytes`, given as they are or as a rate."""
        if name in self.counters:
            return self.counters[name]
        return self.counters.get({"flops": "FLOP/s", "bytes": "bytes/s"}[name], 0.0) * self.seconds

    @property
    def is_ceiling(self) -> bool:
        return "ceiling" in Path(str(self.context.get("executable", self.file.stem))).name

    @property
    def is_counted(self) -> bool:
        """Run on the host-SIMT machine, which counts and does not time."""
        return "loaded_bytes" in self.counters


@dataclass
class Results:
    """What one file holds."""

    file: Path
    context: Dict[str, Any]
    rows: List[Row] = field(default_factory=list)
    refused: List[str] = field(default_factory=list)  # sentences
    peers: Dict[str, Any] = field(default_factory=dict)


def plain_name(run_name: str) -> str:
    """Without what Google Benchmark appends about how it measured."""
    kept = [
        part
        for part in run_name.split("/")
        if part not in ("real_time", "manual_time", "process_time")
        and not part.startswith(("iterations:", "min_time:", "repeats:"))
    ]
    return "/".join(kept)


def read_json(path: Path) -> Dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ResultError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise ResultError(f"{path}: expected JSON: {error}") from error
    if not isinstance(document, dict):
        raise ResultError(f"{path}: expected an object with 'context', found a list or a value")
    context = document.get("context")
    if document.get("rehearsal") or isinstance(context, dict) and truthy(context.get("rehearsal")):
        raise ResultError(f"{path}: the file of a rehearsal: its figures are no measurements")
    return document


def merged_row(name: str, path: Path, entries: Sequence[Dict[str, Any]], context: Any) -> Row:
    try:
        seconds = tuple(entry["real_time"] * SECONDS[entry["time_unit"]] for entry in entries)
    except (KeyError, TypeError) as error:
        raise ResultError(f"{path}: row '{name}': expected real_time and a time_unit") from error
    if not all(0 < one < math.inf for one in seconds):
        raise ResultError(
            f"{path}: row '{name}': expected times above zero, found {min(seconds)} s"
        )
    counters = {
        key: median(entry[key] for entry in entries)
        for key, value in entries[0].items()
        if key not in ROW_FIELDS
        and isinstance(value, (int, float))
        and all(key in entry for entry in entries)
    }
    return Row(name, path, seconds, counters, context)


def google_benchmark_rows(path: Path, document: Dict[str, Any]) -> Tuple[List[Row], List[str]]:
    """Every repetition of a name gathered into a row, and what failed. Aggregates are made anew."""
    gathered: Dict[str, List[Dict[str, Any]]] = {}
    failed = []
    for entry in document["benchmarks"]:
        if not isinstance(entry, dict) or "name" not in entry:
            raise ResultError(f"{path}: expected every row of 'benchmarks' to have a name")
        if entry.get("run_type") == "aggregate":
            continue
        name = plain_name(str(entry.get("run_name", entry["name"])))
        if entry.get("error_occurred"):
            failed.append(f"{name}: {entry.get('error_message', 'failed')}")
        else:
            gathered.setdefault(name, []).append(entry)
    context = document["context"]
    return [merged_row(name, path, rows, context) for name, rows in gathered.items()], failed


def judged(path: Path, rows: Sequence[Row]) -> Tuple[List[Row], List[str]]:
    """The rows whose results were checked, and a sentence about the others."""
    accepted: List[Row] = []
    unchecked: List[Row] = []
    for row in rows:
        checked = row.is_ceiling or row.counters.get("verified", 0) > 0
        (accepted if checked else unchecked).append(row)
        share = row.counters.get("roof_share", 0)
        if share > ROOF_TOLERANCE:
            raise ResultError(
                f"{path}: row '{row.name}' is at {100 * share:.0f} % of its roof: "
                "its work, its time or the ceiling is wrong"
            )
    if not unchecked:
        return accepted, []
    kinds = sorted({row.parts.op for row in unchecked})
    return accepted, [
        f"{path.name}: {len(unchecked)} of {len(rows)} rows have no counter 'verified': nobody "
        f"checked in that process that their results are right ({', '.join(kinds)})."
    ]


CONTENDER = {
    "program", "form", "precision", "seconds_per_iteration", "fastest_iteration",
    "slowest_iteration", "iterations_timed", "largest_loss_difference",
}  # fmt: skip


def check_contenders(path: Path, document: Dict[str, Any]) -> None:
    if "size" not in document:
        raise ResultError(f"{path}: expected the 'size' of the picture")
    for contender in document["contenders"]:
        missing = sorted(CONTENDER - set(contender))
        if missing:
            raise ResultError(f"{path}: a contender without {', '.join(missing)}")


def peer_rows(path: Path, document: Dict[str, Any]) -> List[Row]:
    """The steps and ceilings that the comparison with PyTorch also measures. Its losses were
    compared before anything was timed, so the steps are checked."""
    context = {**document["context"], "size": document["size"]}
    ceilings = {**context, "executable": "ceilings_bench"}
    rows = [
        Row(name, path, (seconds,), {"verified": 1.0}, context)
        for name, seconds in document.get("step_seconds", {}).items()
    ]
    for key, counter in (("flops", "FLOP/s"), ("bytes_per_second", "bytes/s")):
        for name, rate in document.get(key, {}).items():
            rows.append(Row(name, path, (1.0,), {counter: rate}, ceilings))
    return rows


def read_file(path: Path) -> Results:
    document = read_json(path)
    context = document.get("context")
    if not isinstance(context, dict):
        raise ResultError(f"{path}: expected an object 'context' that says where it was measured")
    if "benchmarks" in document:
        rows, failed = google_benchmark_rows(path, document)
        accepted, refused = judged(path, rows)
        return Results(path, context, accepted, refused + failed)
    if "contenders" in document:
        check_contenders(path, document)
        return Results(path, context, peer_rows(path, document), [], document)
    raise ResultError(f"{path}: expected 'benchmarks' (Google Benchmark) or 'contenders' (peers)")


def read_folder(folder: Path) -> List[Results]:
    """Every file of one machine."""
    return [read_file(path) for path in sorted(folder.glob("*.json"))]
