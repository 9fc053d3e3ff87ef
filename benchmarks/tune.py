#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes a device's tuning table: which rung ships for which operation, type and shape.

Runs cuda_bench at the shapes of VGG-19's style layers and the sizes of pictures people make, or reads what
it wrote before (`./dev gpu` keeps a file for each operation); takes the cold medians, and of the rungs that
compute in the same arithmetic the fastest. A library's way, rung 0, is not ours to ship. Writes kernels/common/tuning/<device>.inc and its line in devices.inc; the library
has to be built again.
"""

import argparse
import json
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any, Dict, List, Tuple

import context
from gpu.machine import ClockWatch

FOLDER = context.REPOSITORY / "kernels" / "common" / "tuning"
PROGRAM = context.REPOSITORY / "build" / "cuda" / "bin" / "cuda_bench"
MEASURED = context.REPOSITORY / "build" / "tune.json"
SHAPES = [f"conv{block}_1@{size}" for size in (256, 512, 1024) for block in range(1, 6)]
# Operation, type, whether on tensor cores, channels, pixels.
Problem = Tuple[str, str, bool, int, int]


def rows_by_problem(result: Dict[str, Any]) -> Dict[Problem, List[Tuple[str, float]]]:
    """The rungs' cold medians."""
    problems: Dict[Problem, List[Tuple[str, float]]] = defaultdict(list)
    for row in result["benchmarks"]:
        if row.get("aggregate_name") != "median":
            continue
        parts = row["run_name"].split("/")
        if "cold" not in parts:
            continue
        op, rung, _, precision = parts[:4]
        if rung.startswith("rung_0_"):
            continue
        storage = "f32" if precision in ("fp32", "tf32") else precision
        key = (op, storage, bool(row["tensor_cores"]), int(row["channels"]), int(row["pixels"]))
        problems[key].append((rung, float(row["real_time"])))
    return problems


def table(device: str, result: Dict[str, Any]) -> str:
    lines = [
        "// SPDX-License-Identifier: MIT",
        f"// {device}: written by ./dev tune, {result['context']['date'][:10]}.",
    ]
    for (op, storage, tensor, channels, pixels), rungs in sorted(rows_by_problem(result).items()):
        rung, _ = min(rungs, key=lambda each: each[1])
        arithmetic = "tensor_cores" if tensor else "fp32"
        lines.append(
            f'{{"{device}", "{op}", "{storage}", Arithmetic::{arithmetic}, {channels}, '
            f'{pixels}, "{rung}"}},'
        )
    return "\n".join(lines) + "\n"


def device_name(result: Dict[str, Any]) -> str:
    return result["context"]["device"].split(", compute capability")[0]


def write(result: Dict[str, Any], folder: Path) -> Path:
    if not rows_by_problem(result):
        raise ValueError("no cold medians: expected what cuda_bench writes")
    device = device_name(result)
    path = folder / f"{context.slug(device)}.inc"
    path.write_text(table(device, result), encoding="utf-8")
    devices = folder / "devices.inc"
    text = re.sub(r"^// None yet.*\n", "", devices.read_text(encoding="utf-8"), flags=re.M)
    line = f'#include "kernels/common/tuning/{path.name}"\n'
    devices.write_text(text if line in text else text + line, encoding="utf-8")
    return path


def measure() -> Path:
    command = [str(PROGRAM), f"--shape={','.join(SHAPES)}", "--dtype=fp32,tf32,bf16,fp16"]
    command += [f"--benchmark_out={MEASURED}", "--benchmark_out_format=json"]
    with ClockWatch() as watch:
        subprocess.run(command, check=True)
    if watch.throttled():
        print(f"the GPU was throttled: {', '.join(watch.throttled())}", file=sys.stderr)
    return MEASURED


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", type=Path, nargs="*", help="JSON written by cuda_bench (default: run it)")
    files = parser.parse_args().results or [measure()]
    result: Dict[str, Any] = {"benchmarks": []}
    for file in files:
        try:
            document = json.loads(file.read_text(encoding="utf-8"))
            if document.get("rehearsal"):
                raise ValueError("a rehearsal, in which nothing was measured")
            result["benchmarks"] += document["benchmarks"]
            result.setdefault("context", document["context"])
            if device_name(document) != device_name(result):
                raise ValueError(f"of another device than {files[0]}")
        except (OSError, ValueError, KeyError) as error:
            print(f"{file}: {error}", file=sys.stderr)
            return 1
    try:
        path = write(result, FOLDER)
    except ValueError as error:
        print(f"{files[0]}: {error}", file=sys.stderr)
        return 1
    print(f"{path.relative_to(context.REPOSITORY)}: written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
