#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes a device's tuning table: which rung ships for which operation, type and shape.

Reads what cuda_bench measured: `./dev tune` at the shapes of VGG-19's layers and the sizes of pictures
people make, `./dev gpu` at fewer. Of the rungs that compute in the same arithmetic it takes the one with the
smallest median over cold caches; rung 0 is a library's and not ours to ship. Writes
kernels/common/tuning/<device>.inc and its line in devices.inc; the library has to be built again.
"""

import re
import sys
from pathlib import Path
from typing import Dict, List, Tuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

import context  # noqa: E402
from results import Machine, ResultError, Row, read_json, read_rows  # noqa: E402

FOLDER = context.REPOSITORY / "kernels" / "common" / "tuning"


def fastest(rows: List[Row]) -> Dict[Tuple[str, str, str, int, int], Row]:
    """Of the rungs with cold caches, by operation, type, arithmetic, channels and pixels."""
    found: Dict[Tuple[str, str, str, int, int], Row] = {}
    ours = [row for row in rows if row.parts.cache == "cold" and row.parts.number > 0]
    for row in sorted(ours, key=lambda row: row.seconds):
        storage = "f32" if row.parts.precision in ("fp32", "tf32") else row.parts.precision
        arithmetic = "tensor_cores" if row.counters["tensor_cores"] else "fp32"
        shape = (int(row.counters["channels"]), int(row.counters["pixels"]))
        found.setdefault((row.parts.op, storage, arithmetic, *shape), row)
    return dict(sorted(found.items()))


def table(device: str, date: str, rows: List[Row]) -> str:
    lines = ["// SPDX-License-Identifier: MIT", f"// {device}: written by ./dev tune, {date}."]
    for (op, storage, arithmetic, channels, pixels), row in fastest(rows).items():
        key = f'"{device}", "{op}", "{storage}", Arithmetic::{arithmetic}, {channels}, {pixels}'
        lines.append(f'{{{key}, "{row.parts.variant}"}},')
    return "\n".join(lines) + "\n"


def write(device: str, date: str, rows: List[Row], folder: Path) -> Path:
    path = folder / f"{context.slug(device)}.inc"
    context.replace_text(path, table(device, date, rows))
    devices = folder / "devices.inc"
    text = re.sub(r"^// None yet.*\n", "", devices.read_text(encoding="utf-8"), flags=re.M)
    line = f'#include "kernels/common/tuning/{path.name}"\n'
    context.replace_text(devices, text if line in text else text + line)
    return path


def main() -> int:
    parser = context.parser(__doc__)
    parser.add_argument("results", type=Path, nargs="+", help="JSON of cuda_bench's rows")
    files = parser.parse_args().results
    machine = Machine(files[0].parent)
    devices = {}
    try:
        for file in files:
            document = read_json(file)
            read_rows(machine, file, document.get("benchmarks", []))
            device = str(document["context"].get("device")).split(", compute capability")[0]
            devices[device] = str(document["context"].get("date"))[:10]
        if len(devices) > 1:
            raise ResultError(f"{files[0]}: of another device than the others: {' and '.join(devices)}")
        if not fastest(machine.rows):
            raise ResultError(f"{files[0]}: no rows with cold caches: expected what cuda_bench writes")
    except ResultError as error:
        print(error, file=sys.stderr)
        return 1
    [(device, date)] = devices.items()
    path = write(device, date, machine.rows, FOLDER)
    print(f"{path.relative_to(context.REPOSITORY)}: written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
