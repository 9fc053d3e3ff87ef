# SPDX-License-Identifier: MIT
"""Writes the code blocks of a page that carry a file's name, ```cpp NAME, to files of that name.

usage: code_of_page.py PAGE FOLDER
"""

import re
import sys
from pathlib import Path


def main() -> None:
    page, folder = Path(sys.argv[1]), Path(sys.argv[2])
    blocks = re.findall(r"^```cpp (\S+)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S)
    if not blocks:
        sys.exit(f"{page}: no code block with a file's name")
    folder.mkdir(parents=True, exist_ok=True)
    for name, code in blocks:
        (folder / name).write_text(code, encoding="utf-8")


if __name__ == "__main__":
    main()
