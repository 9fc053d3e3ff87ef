#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whether every program and library below a folder looks for libraries in fixed places only:
run_paths.py FOLDER.

An empty or relative part of a run path is the current folder: whoever can put a file where a program
is started would have it run his code."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Iterator, List


def elf_files(folder: Path) -> Iterator[Path]:
    """What can be run or loaded: object files, which have no run path, are left out."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".o", ".a") or path.is_symlink() or not path.is_file():
            continue
        with open(path, "rb") as file:
            if file.read(4) == b"\x7fELF":
                yield path


def is_fixed(part: str) -> bool:
    """Whether a part of a run path begins at the root or at the file itself."""
    return re.match(r"/|\$(ORIGIN|\{ORIGIN\})(/|$)", part) is not None


def bad_parts(path: Path) -> List[str]:
    """The parts of a file's run path that are not fixed."""
    table = subprocess.run(["readelf", "-d", path], capture_output=True, text=True, check=True,
                           env={**os.environ, "LC_ALL": "C"}).stdout
    found = re.findall(r"\((?:RPATH|RUNPATH)\).*\[(.*)\]", table)
    return [part for parts in found for part in parts.split(":") if not is_fixed(part)]


def main() -> None:
    files = list(elf_files(Path(sys.argv[1])))
    wrong = [f"{path}: {parts}" for path in files if (parts := bad_parts(path))]
    if not files or wrong:
        sys.exit("\n".join(wrong) or "there is no program to look at")
    print(f"{len(files)} programs and libraries look for libraries in fixed places")


if __name__ == "__main__":
    main()
