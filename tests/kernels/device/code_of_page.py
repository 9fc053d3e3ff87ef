# SPDX-License-Identifier: MIT
"""Does to files of this repository what a page tells its reader to do, in a folder of its own.

usage: code_of_page.py PAGE FOLDER

A code block that carries a file's name, ```cpp NAME, is that file, or belongs into it where the
repository has it already: its #include lines behind the file's own, the others at the end of its first list of rungs.
"""

import re
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]


def added(text: str, code: str) -> str:
    """The text of a kernel's .cu file with a rung's include and its line in the ladder."""
    lines = code.splitlines(keepends=True)
    includes = "".join(line for line in lines if line.startswith("#include"))
    rungs = "".join(line for line in lines if not line.startswith("#include"))
    end_of_includes = text.rindex("#include")
    end_of_includes = text.index("\n", end_of_includes) + 1
    end_of_ladder = text.index("};\n", text.index("constexpr std::array"))
    return (
        text[:end_of_includes] + includes + text[end_of_includes:end_of_ladder] + rungs + text[end_of_ladder:]
    )


def main() -> None:
    page, folder = Path(sys.argv[1]), Path(sys.argv[2])
    blocks = re.findall(r"^```cpp (\S+)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S)
    if not blocks:
        sys.exit(f"{page}: no code block with a file's name")
    for name, code in blocks:
        kept = REPOSITORY / name
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        text = added(kept.read_text(encoding="utf-8"), code) if kept.suffix == ".cu" else code
        file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
