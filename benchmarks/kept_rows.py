# SPDX-License-Identifier: MIT
"""Rows of Google Benchmark's JSON as they are kept: one line for each, so that a difference can be read."""

import json
from pathlib import Path
from typing import Any, Dict, List, Sequence

from peers.runs import execute

Rows = List[Dict[str, Any]]
# What is the same in every row, or is worked out from the others.
LEFT_OUT = ("run_name", "family_index", "per_family_instance_index", "run_type", "repetitions",
            "threads", "cpu_time", "GB/s", "TFLOP/s")  # fmt: skip
OF_THE_PLACE = ("host_name", "caches", "library_build_type")


def measure(program: Path, *arguments: str, left_out: Sequence[str] = LEFT_OUT) -> Dict[str, Any]:
    """The program's context and its rows, without aggregates."""
    document = json.loads(execute([str(program), "--benchmark_format=json", *arguments]))
    rows: Rows = [
        {key: value for key, value in row.items() if key not in left_out}
        for row in document["benchmarks"]
        if row["run_type"] != "aggregate"
    ]
    about = {key: value for key, value in document["context"].items() if key not in OF_THE_PLACE}
    return {"context": {**about, "executable": program.name}, "benchmarks": rows}


def keep(path: Path, context: Dict[str, Any], rows: Rows) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(f"  {json.dumps(row)}" for row in rows)
    text = f'{{"context": {json.dumps(context)}, "benchmarks": [\n{lines}\n]}}\n'
    path.write_text(text, encoding="utf-8")
