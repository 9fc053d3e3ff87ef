# SPDX-License-Identifier: MIT
"""Ceilings as rows, wherever a file keeps them: "copy", "fma/512/2", "bf16"."""

from pathlib import Path
from typing import Any, Dict, List

from report.rows import ResultError, Row

IN_CONTEXT = "ceiling_"
COUNTERS = {"_bytes_per_second": "bytes/s", "_flops": "FLOP/s"}


def ceiling(path: Path, name: str, counter: str, rate: float, context: Dict[str, Any]) -> Row:
    return Row(name, path, (1.0,), {counter: rate}, {**context, "executable": "ceilings_bench"})


def context_ceilings(path: Path, context: Dict[str, Any]) -> List[Row]:
    """What a program measured before its rows: "ceiling_bf16_flops": "7.5e+14"."""
    rows = []
    for key, value in context.items():
        ending = next((one for one in COUNTERS if key.endswith(one)), None)
        if not key.startswith(IN_CONTEXT) or ending is None:
            continue
        try:
            rate = float(value)
        except (TypeError, ValueError) as error:
            raise ResultError(f"{path}: expected a number as {key}, found '{value}'") from error
        name = key[len(IN_CONTEXT) : -len(ending)]
        rows.append(ceiling(path, name, COUNTERS[ending], rate, context))
    return rows
