# SPDX-License-Identifier: MIT
"""What a measurement has to say about where and from what it was taken, and where it is kept."""

import json
import os
import platform
import re
import subprocess
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict

REPOSITORY = Path(__file__).resolve().parent.parent
# In the unpacked archive of `./dev package`, instead of a repository: what it was built from.
BUILD = REPOSITORY / "build.json"
NOTABLE_FLAGS = ("avx2", "fma", "avx512f", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_bf16")


def git(*arguments: str) -> str:
    command = ["git", "-C", str(REPOSITORY), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


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


def describe_source() -> Dict[str, Any]:
    if BUILD.exists():
        built: Dict[str, Any] = json.loads(BUILD.read_text(encoding="utf-8"))
        return built
    return {
        "commit": git("rev-parse", "HEAD"),
        "dirty": bool(git("status", "--porcelain")),
    }


def describe() -> Dict[str, Any]:
    return {
        "cpu": describe_cpu(),
        "kernel": platform.release(),
        **describe_source(),
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d"),
        "load_average_before": os.getloadavg()[0],
    }


def slug(name: str) -> str:
    """ "Intel(R) Xeon(R) Processor" as the name of a folder: "intel-xeon-processor"."""
    plain = re.sub(r"\((R|TM|C)\)", "", name, flags=re.IGNORECASE)
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


def results_folder(device: str) -> Path:
    """Where the results of a device, known by its name, are kept."""
    return REPOSITORY / "benchmarks" / "results" / slug(device)


def replace_text(path: Path, text: str) -> None:
    """The file is what it was, or whole: the text goes into a file beside it, which then takes its place."""
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
