# SPDX-License-Identifier: MIT
"""A headless browser, to see whether a page opens without complaint."""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import List, Optional

BROWSERS = ("chromium-headless-shell", "chromium", "google-chrome")
COMPLAINED, NO_BROWSER = 8, 77


def find_browser() -> Optional[str]:
    return next((path for path in map(shutil.which, BROWSERS) if path), None)


def run_browser(browser: str, page: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    """Without a network: whatever a page asks for fails, and the console says so."""
    with tempfile.TemporaryDirectory() as profile:
        command = [
            browser,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--enable-logging=stderr",
        ]
        command += [f"--user-data-dir={profile}", "--proxy-server=127.0.0.1:9", "--log-level=0"]
        command += [*options, page.resolve().as_uri()]
        return subprocess.run(command, capture_output=True, text=True, timeout=120)


def complaints(browser: str, page: Path) -> List[str]:
    """What the console says, and whether the page came out at all."""
    done = run_browser(browser, page, "--dump-dom")
    said = re.findall(r"CONSOLE(?:\(\d+\)|:\d+)?\] (.*)", done.stderr)
    if done.returncode != 0 or "</svg>" not in done.stdout:
        said.append(f"{browser} ended with {done.returncode} and showed no figure")
    return said


def check_in_browser(page: Path) -> int:
    browser = find_browser()
    if browser is None:
        print("report: no headless browser here (chromium-headless-shell)", file=sys.stderr)
        return NO_BROWSER
    said = complaints(browser, page)
    for sentence in said:
        print(f"{page}: {sentence}", file=sys.stderr)
    return COMPLAINED if said else 0
