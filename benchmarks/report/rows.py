# SPDX-License-Identifier: MIT
"""Rows of Google Benchmark's JSON. Errors name the file."""

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any, Dict, List, Optional, Sequence, Tuple

from report.names import Parts, parse

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
    """One benchmark: its name without the timer's suffixes, each repetition's time (none of a row
    that was counted), median counters."""

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


def medians(entries: Sequence[Dict[str, Any]]) -> Dict[str, float]:
    """Of every counter."""
    return {
        key: median(entry[key] for entry in entries)
        for key, value in entries[0].items()
        if key not in ROW_FIELDS
        and isinstance(value, (int, float))
        and all(key in entry for entry in entries)
    }


def merged_row(name: str, path: Path, entries: Sequence[Dict[str, Any]], context: Any) -> Row:
    if "loaded_bytes" in entries[0] and "real_time" not in entries[0]:
        return Row(name, path, (), medians(entries), context)
    try:
        seconds = tuple(entry["real_time"] * SECONDS[entry["time_unit"]] for entry in entries)
    except (KeyError, TypeError) as error:
        raise ResultError(f"{path}: row '{name}': expected real_time and a time_unit") from error
    if not all(0 < one < math.inf for one in seconds):
        raise ResultError(
            f"{path}: row '{name}': expected times above zero, found {min(seconds)} s"
        )
    return Row(name, path, seconds, medians(entries), context)


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
