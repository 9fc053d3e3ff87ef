# SPDX-License-Identifier: MIT
"""The program computes the losses that PyTorch computes."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Optional

SKIPPED = 77
COMPARE = Path(__file__).with_name("compare_losses.py")


def python_with_torch() -> Optional[str]:
    """IMPASTO_PEER_PYTHON names one that is neither this interpreter nor the system's."""
    for python in (os.environ.get("IMPASTO_PEER_PYTHON"), sys.executable, "/usr/bin/python3"):
        if python and Path(python).exists():
            probe = [python, "-c", "import torch, h5py, PIL"]
            if subprocess.run(probe, capture_output=True).returncode == 0:
                return python
    return None


def main() -> int:
    python = python_with_torch()
    if python is None:
        print("skipped: no Python here has torch, h5py and PIL (python3-torch, python3-h5py, ...)")
        return SKIPPED
    command = [sys.executable, str(COMPARE), "--impasto", sys.argv[1], "--python", python]
    return subprocess.run(command).returncode


if __name__ == "__main__":
    sys.exit(main())
