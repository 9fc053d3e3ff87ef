# SPDX-License-Identifier: MIT
"""A headless browser opens the report without a word on its console, in light and in dark."""

import subprocess
import sys
import tempfile
from pathlib import Path

import inputs
from report.browser import complaints, find_browser, run_browser

SKIPPED = 77


def make_page(folder: Path) -> Path:
    inputs.write(folder / "work.json", inputs.WORK)
    inputs.write_machine(folder / "machine")
    inputs.write(folder / "peers" / "cpu_vs_pytorch.json", inputs.peers())
    page = folder / "report.html"
    command = [sys.executable, "-m", "report", str(folder / "machine"), str(folder / "peers")]
    command += ["-o", str(page), "--work", str(folder / "work.json")]
    environment = {"PYTHONPATH": str(inputs.ROOT / "benchmarks"), "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run(command, check=True, env=environment)
    return page


def notices_a_complaint(browser: str, folder: Path) -> bool:
    """Otherwise silence would prove nothing."""
    bad = folder / "bad.html"
    bad.write_text("<svg></svg><script>console.error('planted')</script>", encoding="utf-8")
    return any("planted" in sentence for sentence in complaints(browser, bad))


def main() -> int:
    browser = find_browser()
    if browser is None:
        print("skipped: no headless browser here; './dev report --check' installs one")
        return SKIPPED
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if not notices_a_complaint(browser, folder):
            print(f"{browser} does not say what a page's console says")
            return 1
        page = make_page(folder)
        said = complaints(browser, page)
        for sentence in said:
            print(sentence)
        pictures = []
        for scheme in ("light", "dark"):
            picture = folder / f"{scheme}.png"
            dark = ["--blink-settings=preferredColorScheme=0"] if scheme == "dark" else []
            run_browser(browser, page, f"--screenshot={picture}", "--window-size=1200,2000", *dark)
            pictures.append(picture.read_bytes())
        if pictures[0] == pictures[1]:
            said.append("the page looks the same in light and in dark")
            print(said[-1])
        return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
