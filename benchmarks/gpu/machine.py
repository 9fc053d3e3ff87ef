# SPDX-License-Identifier: MIT
"""The GPU of this machine, as nvidia-smi and Python's packages know it."""

import json
import os
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path
from statistics import median
from typing import Any, Dict, List, Optional

import context
from peers.runs import end_group, execute

FIELDS = (
    "name",
    "driver_version",
    "compute_cap",
    "memory.total",
    "power.limit",
    "clocks.max.sm",
    "clocks.max.mem",
    "clocks.sm",
    "temperature.gpu",
    "ecc.mode.current",
)
WATCHED = ("clocks.sm", "clocks.mem", "power.draw", "temperature.gpu", "utilization.gpu")


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


def torch_versions(python: str) -> Optional[Dict[str, Any]]:
    """PyTorch's own, and the libraries' it comes with; nothing where there is no PyTorch."""
    code = (
        "import json, torch; print(json.dumps({'torch': torch.__version__, "
        "'cuda': torch.version.cuda, 'cudnn': torch.backends.cudnn.version()}))"
    )
    try:
        versions: Dict[str, Any] = json.loads(execute([python, "-c", code], timeout=120))
    except RuntimeError:
        return None
    return versions


def describe(python: str) -> Dict[str, Any]:
    """The context of every result of a GPU run."""
    gpu = query()
    named = {"device": gpu["name"], "driver": gpu.get("driver_version")} if gpu else {}
    return {
        **context.describe(),
        **named,
        "gpu": gpu,
        "pytorch": torch_versions(python),
        "libraries": find_libraries(),
    }


class ClockWatch:
    """What the GPU's clocks, power and temperature are while a block of code runs."""

    def __init__(self) -> None:
        self.process: Optional["subprocess.Popen[str]"] = None

    def __enter__(self) -> "ClockWatch":
        if shutil.which("nvidia-smi"):
            command = ["nvidia-smi", "-i", "0", "--query-gpu=" + ",".join(WATCHED), "-lms", "500"]
            self.process = subprocess.Popen(
                [*command, "--format=csv,noheader,nounits"],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                start_new_session=True,
            )
        return self

    def __exit__(self, *_: Any) -> None:
        self.samples: List[List[float]] = []
        if self.process is None:
            return
        self.process.terminate()
        output, _errors = self.process.communicate()
        end_group(self.process)
        for line in output.splitlines():
            values = re.findall(r"[\d.]+", line)
            if len(values) == len(WATCHED):
                self.samples.append([float(value) for value in values])

    def summary(self) -> Dict[str, Dict[str, float]]:
        """Lowest, median and highest of the samples in which the GPU was busy."""
        busy = [sample for sample in self.samples if sample[-1] >= 50]
        columns = {name: [sample[i] for sample in busy] for i, name in enumerate(WATCHED[:-1])}
        return {
            name: {"lowest": min(values), "median": median(values), "highest": max(values)}
            for name, values in columns.items()
            if values
        }
