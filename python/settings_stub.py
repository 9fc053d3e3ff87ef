# SPDX-License-Identifier: MIT
"""Writes the types of the settings that functions take by keyword: settings_stub.py OUT."""

import sys
from pathlib import Path

import _impasto

WORDS = {"N": "int", "X": "float", "FILE": "Union[str, PathLike[str]]", "": "bool",
         "L[:w],...": "Union[str, Sequence[str], Mapping[str, float]]"}


def type_of(takes, many):
    if many:
        return f"Union[{WORDS[takes]}, Sequence[{WORDS[takes]}]]"
    if takes in WORDS:
        return WORDS[takes]
    words = takes.split("|")
    if len(words) > 1 and all(word.islower() for word in words):
        return "Literal[" + ", ".join(f'"{word}"' for word in words) + "]"
    return "str"


def dictionary(taker):
    lines = [f"class {taker.capitalize()}Settings(TypedDict, total=False):"]
    for entry in _impasto.list_settings(taker):
        if entry["name"] == "init":  # a picture as well: an argument of its own
            continue
        masks = entry["name"] in ("mask", "style_mask")  # arrays as well
        lines.append(f"    {entry['name']}: Optional[{'Any' if masks else type_of(entry['takes'], entry['many'])}]")
        lines.append(f'    """{entry["help"]} [{entry["default"]}]"""')
    return "\n".join(lines) + "\n"


def main():
    head = ["# Generated from the table of settings by settings_stub.py.", "from os import PathLike",
            "from typing import Any, Literal, Mapping, Optional, Sequence, TypedDict, Union", ""]
    takers = ("session", "stylize", "score", "activations")
    Path(sys.argv[1]).write_text("\n".join(head) + "\n" + "\n\n".join(dictionary(taker) for taker in takers))


if __name__ == "__main__":
    main()
