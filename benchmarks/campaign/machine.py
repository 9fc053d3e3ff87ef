# SPDX-License-Identifier: MIT
"""The GPU of this machine, as nvidia-smi and Python's packages know it."""

import os
import shutil
import subprocess
import sysconfig
from pathlib import Path
from statistics import median
from subprocess import DEVNULL, PIPE
from typing import Any, Dict, List, Optional

from peers.runs import end_group, execute

FIELDS = ("name", "driver_version", "compute_cap", "memory.total", "power.limit", "clocks.max.sm", "clocks.max.mem",
          "clocks.sm", "temperature.gpu", "ecc.mode.current")  # fmt: skip
WATCHED = ("clocks.sm", "clocks.mem", "power.draw", "temperature.gpu")
BUSY, HELD_BY = "utilization.gpu", "clocks_throttle_reasons.active"
# Of the bits of HELD_BY those of a GPU that is slower than it could be (nvml.h).
THROTTLES = {
    0x004: "power cap",
    0x008: "hardware slowdown",
    0x020: "software thermal",
    0x040: "hardware thermal",
    0x080: "power brake",
}


def find_libraries() -> List[str]:
    """Folders with cuDNN and cuBLAS: those of Python's packages first, which PyTorch loads too."""
    packages = Path(sysconfig.get_paths()["purelib"]) / "nvidia"
    toolkits = [Path("/usr/local/cuda/lib64"), Path("/usr/local/cuda/lib")]
    folders = [*sorted(packages.glob("*/lib")), *toolkits]
    return [str(folder) for folder in folders if folder.is_dir()]


def offer_libraries() -> None:
    """Lets every program that is started from here find them."""
    before = os.environ.get("LD_LIBRARY_PATH")
    os.environ["LD_LIBRARY_PATH"] = ":".join(find_libraries() + ([before] if before else []))


def query() -> Optional[Dict[str, str]]:
    """What nvidia-smi says of the first GPU, without what this one does not know; nothing where
    there is no GPU."""
    if shutil.which("nvidia-smi") is None:
        return None
    found = {}
    for field in FIELDS:
        command = ["nvidia-smi", "-i", "0", f"--query-gpu={field}", "--format=csv,noheader"]
        try:
            found[field] = execute(command, timeout=30).strip()
        except RuntimeError:
            continue
    return found if "name" in found else None


class ClockWatch:
    """What the GPU's clocks, power and temperature are while a block of code runs, and what held them."""

    def __init__(self) -> None:
        self.process: Optional["subprocess.Popen[str]"] = None
        self.samples: List[List[float]] = []  # of the moments at which the GPU was busy
        self.held_by = 0

    def __enter__(self) -> "ClockWatch":
        if shutil.which("nvidia-smi"):
            fields = ",".join((*WATCHED, BUSY, HELD_BY))
            command = ["nvidia-smi", "-i", "0", f"--query-gpu={fields}", "-lms", "500", "--format=csv,noheader,nounits"]
            self.process = subprocess.Popen(command, stdout=PIPE, stderr=DEVNULL, text=True, start_new_session=True)
        return self

    def __exit__(self, *_: Any) -> None:
        if self.process is None:
            return
        self.process.terminate()
        output, _errors = self.process.communicate()
        end_group(self.process)
        for line in output.splitlines():
            try:
                *values, busy, held_by = line.split(",")
                if float(busy) >= 50:
                    self.samples.append([float(value) for value in values])
                    self.held_by |= int(held_by, 16)
            except ValueError:  # a line cut short, or a figure that this GPU does not tell
                continue

    def clocks(self) -> Dict[str, Dict[str, float]]:
        """Lowest, median and highest."""
        return {
            name: {"lowest": min(values), "median": median(values), "highest": max(values)}
            for name, values in zip(WATCHED, zip(*self.samples))
        }

    def throttled(self) -> List[str]:
        """Why the GPU was slower than it could be; nothing where it was not."""
        return [name for bit, name in THROTTLES.items() if self.held_by & bit]
