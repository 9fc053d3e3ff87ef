# SPDX-License-Identifier: MIT
import os
import subprocess
import tempfile
from pathlib import Path

import pytest

import impasto

# Weights that the user has fetched would be used in place of the built-in network.
os.environ["XDG_DATA_HOME"] = tempfile.mkdtemp(prefix="impasto-test-")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def session():
    return impasto.Session(device="cpu")


@pytest.fixture(scope="session")
def scene():
    return impasto.load("sample:scene", 64)


@pytest.fixture(scope="session")
def painting():
    return impasto.load("sample:painting", 64)


@pytest.fixture(scope="session")
def program():
    """Runs the program of the release build."""
    path = ROOT / "build/release/bin/impasto"
    if not path.exists():
        pytest.skip("the program is not built: ./dev build")

    def run(*words):
        return subprocess.run([path, *map(str, words)], check=True, capture_output=True, text=True).stdout

    return run
