#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What every rung of every ladder moves, counted by simt_bench on the host-SIMT machine.

Writes benchmarks/results/simt/ladders.json; benchmarks/render.py makes a table of it. With --check it
counts and writes nothing: a number that is not the kept one, a rung that the file lacks and one that is
no more end the script with 8.
"""

import json
import sys
from pathlib import Path
from typing import Any, Dict, List

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

import context  # noqa: E402
from context import LEFT_OUT, Rows, keep, rows_of  # noqa: E402
from peers.runs import execute  # noqa: E402

KEPT = context.REPOSITORY / "benchmarks" / "results" / "simt" / "ladders.json"
PROGRAM = context.REPOSITORY / "build" / "release" / "bin" / "simt_bench"
# Small: a thread takes microseconds there. One tile of channels, and several with a batch.
AXES = (("--shape=16x16x64",), ("--shape=4x4x128", "--batch=2"))
DTYPES = "--dtype=bf16,fp32,tf32"
COUNTS = ("loaded_bytes", "stored_bytes", "sectors_per_request", "shared_requests", "bank_conflicts")
COUNTS += ("barriers", "launches")
OUT_OF_DATE = 8
# The host-SIMT machine's times say nothing.
TIMES = ("repetition_index", "iterations", "real_time", "time_unit")


def differences(kept: Rows, counted: Rows) -> List[str]:
    """A sentence on every count that is another, and on every row that one of the two lacks."""
    before, now = ({row["name"]: row for row in rows} for rows in (kept, counted))
    found = [f"{name}: no longer there" for name in before if name not in now]
    found += [f"{name}: not kept yet" for name in now if name not in before]
    for name in before.keys() & now.keys():
        pairs = {count: (now[name][count], before[name][count]) for count in COUNTS}
        found += [f"{name}: {count} {new:.10g}, kept {old:.10g}" for count, (new, old) in pairs.items() if new != old]
    return sorted(found)


def counted(program: Path, *options: str) -> Rows:
    document = json.loads(execute([str(program), "--benchmark_format=json", *options]))
    return rows_of(document, left_out=(*LEFT_OUT, *TIMES, "error"))


def main() -> int:
    parser = context.parser(__doc__)
    parser.add_argument("program", nargs="?", type=Path, default=PROGRAM, help="simt_bench")
    parser.add_argument("--check", action="store_true", help="only say whether the counts are kept")
    arguments = parser.parse_args()
    rows: List[Dict[str, Any]] = []
    for axes in AXES:
        rows += counted(arguments.program, *axes, DTYPES)
    if arguments.check:
        changed = differences(json.loads(KEPT.read_text(encoding="utf-8"))["benchmarks"], rows)
        for sentence in changed:
            print(sentence, file=sys.stderr)
        return OUT_OF_DATE if changed else 0
    keep(KEPT, {"executable": "simt_bench", "device": "the host-SIMT machine"}, rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
