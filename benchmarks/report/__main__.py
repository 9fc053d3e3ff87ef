# SPDX-License-Identifier: MIT
"""Draws the measurements under benchmarks/results/ as one HTML page that needs nothing else.

Each folder is a machine. Rows whose results were not checked are left out and named; a figure above
its roof, a file of a rehearsal or one that is broken ends the program with 8 and writes nothing.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import List

from report.browser import check_in_browser
from report.machine import read_machines
from report.page import render
from report.rows import ResultError
from report.work import read_work

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"
REFUSED, USAGE, NOT_WRITTEN = 8, 2, 6


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./dev report",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "folders",
        nargs="*",
        type=Path,
        metavar="FOLDER",
        help="(default: all of benchmarks/results)",
    )
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "build" / "report.html")
    parser.add_argument(
        "--work", type=Path, default=RESULTS / "model" / "work.json", help=argparse.SUPPRESS
    )
    parser.add_argument(
        "--check", action="store_true", help="open it in a headless browser as well"
    )
    return parser.parse_args()


NO_MACHINES = ("model", "nvcc", "cudnn")  # the work model, and what compiler and library say


def result_folders(asked: List[Path]) -> List[Path]:
    every = [one for one in sorted(RESULTS.iterdir()) if one.is_dir()]
    found = asked or [one for one in every if one.name not in NO_MACHINES]
    for folder in found:
        if not folder.is_dir():
            raise ResultError(f"{folder}: expected a folder of results, one for each machine")
        if not any(folder.glob("*.json")):
            raise ResultError(f"{folder}: expected results (*.json) in it, found none")
    return found


def write_whole(path: Path, text: str) -> None:
    """Beside the target and renamed over it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def main() -> int:
    arguments = parse_arguments()
    try:
        folders = result_folders(arguments.folders)
    except ResultError as error:
        print(f"report: {error}", file=sys.stderr)
        return USAGE
    try:
        machines = read_machines(folders)
        page = render(machines, read_work(arguments.work))
        write_whole(arguments.output, page)
    except ResultError as error:
        print(f"report: {error}", file=sys.stderr)
        return REFUSED
    except OSError as error:
        print(f"report: {error.filename}: {error.strerror}", file=sys.stderr)
        return NOT_WRITTEN
    for machine in machines:
        for sentence in machine.refused:
            print(f"not shown: {sentence}", file=sys.stderr)
    print(arguments.output)
    return check_in_browser(arguments.output) if arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())
