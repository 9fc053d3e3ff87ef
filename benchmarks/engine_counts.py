#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How many engines cuDNN has for each of our graphs, on six GPUs, none of which is needed.

Runs conv_plan_test, which asks cuDNN about the GPUs by their descriptions, and writes what it records
to benchmarks/results/cudnn/engine_counts.json; benchmarks/render.py makes a table of it. A graph
without an engine fails the test, and the script with it.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Dict, List, Tuple

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "benchmarks" / "results" / "cudnn" / "engine_counts.json"
PRECISIONS = ("fp32", "tf32", "bf16", "fp16")


def run_test(build: Path) -> Dict[str, Any]:
    """The test's own report."""
    environment = dict(os.environ)
    # Where there is no driver, CMake has put a link to the toolkit's stub here.
    stub = build / "tests" / "host" / "backend" / "cuda"
    if (stub / "libcuda.so.1").exists():
        environment["LD_LIBRARY_PATH"] = f"{stub}:{environment.get('LD_LIBRARY_PATH', '')}"
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [str(build / "bin" / "conv_plan_test"), f"--gtest_output=json:{report}"]
        subprocess.run(command, check=True, env=environment, stdout=sys.stderr)
        return json.loads(report.read_text(encoding="utf-8"))


def counts(report: Dict[str, Any]) -> Tuple[str, List[Dict[str, Any]]]:
    """cuDNN's version, and for each GPU, precision and graph the fewest and the most engines."""
    version, rows = "", []
    for suite in report["testsuites"]:
        for test in suite["testsuite"]:
            version = test.get("cudnn", version)
            for name, value in test.items():
                precision, _, graph = name.partition(" ")
                if precision not in PRECISIONS:
                    continue
                fewest, most = map(int, value.split())
                rows.append({"gpu": test["value_param"].strip('"'), "precision": precision,
                             "graph": graph, "fewest": fewest, "most": most})
    return version, rows


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "cuda")
    version, rows = counts(run_test(parser.parse_args().build))
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    # One line for each count, so that a difference can be read.
    lines = ",\n".join(f"  {json.dumps(row)}" for row in rows)
    OUTPUT.write_text(f'{{"cudnn": "{version}", "counts": [\n{lines}\n]}}\n', encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
