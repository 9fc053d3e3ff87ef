# SPDX-License-Identifier: MIT
"""What a headless browser says of a page."""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

BROWSERS = ("chromium-headless-shell", "chromium", "google-chrome")


def find_browser():
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def complaints(browser, path):
    """What a headless browser's console says of the page; without a network, so that nothing is fetched."""
    with tempfile.TemporaryDirectory() as profile:
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
                   f"--user-data-dir={profile}", "--proxy-server=127.0.0.1:9", "--log-level=0",
                   "--dump-dom", Path(path).resolve().as_uri()]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    said = re.findall(r"CONSOLE(?:\(\d+\)|:\d+)?\] (.*)", done.stderr)
    if done.returncode != 0 or "</svg>" not in done.stdout:
        said.append(f"{browser} ended with {done.returncode} and showed no figure")
    return said
