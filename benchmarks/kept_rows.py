# SPDX-License-Identifier: MIT
"""Rows of Google Benchmark's JSON as they are kept: one line for each, so that a difference can be read."""

import json
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

from context import replace_text
from peers.runs import execute

Rows = List[Dict[str, Any]]
# What is the same in every row, or is worked out from the others.
LEFT_OUT = ("run_name", "family_index", "per_family_instance_index", "run_type", "repetitions",
            "threads", "cpu_time", "GB/s", "TFLOP/s")  # fmt: skip
OF_THE_PLACE = ("host_name", "caches", "library_build_type")


def rows_of(document: Dict[str, Any], left_out: Sequence[str] = LEFT_OUT) -> Rows:
    """A program's rows without aggregates."""
    return [
        {key: value for key, value in row.items() if key not in left_out}
        for row in document["benchmarks"]
        if row["run_type"] != "aggregate"
    ]


def measure(
    program: Path, *arguments: str, left_out: Sequence[str] = LEFT_OUT, threads: Optional[int] = None
) -> Dict[str, Any]:
    """The program's context and its rows."""
    environment = {"OMP_NUM_THREADS": str(threads)} if threads else {}
    document = json.loads(execute([str(program), "--benchmark_format=json", *arguments], environment))
    about = {key: value for key, value in document["context"].items() if key not in OF_THE_PLACE}
    return {"context": {**about, "executable": program.name}, "benchmarks": rows_of(document, left_out)}


def keep(path: Path, context: Dict[str, Any], benchmarks: Rows, **more: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    head = "".join(f'"{key}": {json.dumps(value)},\n' for key, value in {"context": context, **more}.items())
    lines = ",\n".join(f"  {json.dumps(row)}" for row in benchmarks)
    replace_text(path, f'{{{head}"benchmarks": [\n{lines}\n]}}\n')
