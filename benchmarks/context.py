# SPDX-License-Identifier: MIT
"""What is kept of a measurement: its rows, and where and from what they were taken."""

import argparse
import errno
import json
import os
import platform
import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

from peers.runs import execute

REPOSITORY = Path(__file__).resolve().parent.parent
# In the unpacked archive of `./dev package`, instead of a repository: what it was built from.
BUILD = REPOSITORY / "build.json"
NOTABLE_FLAGS = ("avx2", "fma", "avx512f", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_bf16")

Rows = Sequence[Dict[str, Any]]
# What is the same in every row, or is worked out from the others.
LEFT_OUT = ("run_name", "family_index", "per_family_instance_index", "run_type", "repetitions",
            "threads", "cpu_time", "GB/s", "TFLOP/s")  # fmt: skip


def parser(doc: Optional[str], **more: Any) -> argparse.ArgumentParser:
    """Of a program whose --help begins with its module's text."""
    return argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter, **more)


def describe_cpu() -> Dict[str, Any]:
    """By the first processor's entry of /proc/cpuinfo."""
    first = Path("/proc/cpuinfo").read_text(encoding="utf-8").split("\n\n")[0]
    fields = dict(re.findall(r"^(.*?)\s*:\s*(.*)$", first, re.MULTILINE))
    flags = fields.get("flags", "").split()
    return {
        "name": fields.get("model name", "unknown processor"),
        "flags": [flag for flag in NOTABLE_FLAGS if flag in flags],
        "hypervisor": "hypervisor" in flags,
        "cores": len(os.sched_getaffinity(0)),
    }


def describe() -> Dict[str, Any]:
    """The machine, the commit, the day and the load."""
    if BUILD.exists():
        source = json.loads(BUILD.read_text(encoding="utf-8"))
    else:
        git = ("git", "-C", str(REPOSITORY))
        source = {"commit": execute([*git, "rev-parse", "HEAD"]).strip(),
                  "dirty": bool(execute([*git, "status", "--porcelain"]))}  # fmt: skip
    return {
        "cpu": describe_cpu(),
        "kernel": platform.release(),
        **source,
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d"),
        "load_average_before": os.getloadavg()[0],
    }


def slug(name: str) -> str:
    """ "Intel(R) Xeon(R) Processor" as the name of a folder: "intel-xeon-processor"."""
    plain = re.sub(r"\((R|TM|C)\)", "", name, flags=re.IGNORECASE)
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


def results_folder(device: str = "") -> Path:
    """Where the results of a device, known by its name, are kept; without one, those of all."""
    return REPOSITORY / "benchmarks" / "results" / slug(device)


def kept_machines() -> List[Path]:
    """The folders of machines; the one called nvcc says what the compiler makes of kernels."""
    return [one for one in sorted(results_folder().glob("*")) if one.is_dir() and one.name != "nvcc"]


def replace_text(path: Path, text: str) -> None:
    """The file is what it was, or whole: the text goes into a file beside it, which then takes its place."""
    if path.exists() and not path.is_file():  # which would take the place of a device, too
        raise OSError(errno.EINVAL, "expected a regular file", str(path))
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def rows_of(document: Dict[str, Any], left_out: Sequence[str] = LEFT_OUT) -> Rows:
    """A program's rows without aggregates."""
    return [
        {key: value for key, value in row.items() if key not in left_out}
        for row in document["benchmarks"]
        if row["run_type"] != "aggregate"
    ]


def keep(path: Path, context: Dict[str, Any], benchmarks: Rows = (), **more: Any) -> None:
    """One line for each row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    head = "".join(f'"{key}": {json.dumps(value)},\n' for key, value in {"context": context, **more}.items())
    lines = ",\n".join(f"  {json.dumps(row)}" for row in benchmarks)
    replace_text(path, f'{{{head}"benchmarks": [\n{lines}\n]}}\n')
