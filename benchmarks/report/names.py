# SPDX-License-Identifier: MIT
"""The parts of a benchmark's name: gram/rung_3_shared_tile/conv3_1@512/bf16/batch:1."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Dict

PRECISIONS = ("fp32", "tf32", "bf16", "fp16")
LAYER = re.compile(r"(conv|pool)\d_?\d*$")
SHAPE = re.compile(r"\d+x\d+x\d+$")  # of a feature map, H×W×C
SHAPE_AT = re.compile(r"(\S+)@(\d+)$")
RUNG = re.compile(r"rung_(\d+)_(\w+)$")


@dataclass(frozen=True)
class Parts:
    op: str
    variant: str = ""  # a rung, a library, or nothing where there is one implementation
    layer: str = ""
    size: int = 0  # side of the square picture
    precision: str = ""
    batch: int = 1
    cache: str = ""  # "cold" or "hot"

    @property
    def rung(self) -> str:
        """ "3" of rung_3_shared_tile, or the variant's name."""
        match = RUNG.match(self.variant)
        return match.group(1) if match else self.variant

    @property
    def idea(self) -> str:
        """ "shared tile" of rung_3_shared_tile."""
        match = RUNG.match(self.variant)
        return (match.group(2) if match else self.variant).replace("_", " ")


@lru_cache(maxsize=None)
def parse(name: str) -> Parts:
    """After the operation parts come in any order; what no rule knows is the variant."""
    op, *rest = name.split("/")
    found: Dict[str, object] = {}
    variants = []
    for part in rest:
        at = SHAPE_AT.match(part)
        key, _, value = part.partition(":")
        if part in PRECISIONS:
            found["precision"] = part
        elif at:
            found["layer"], found["size"] = at.group(1), int(at.group(2))
        elif key == "batch" and value.isdigit():
            found["batch"] = int(value)
        elif (value or key) in ("cold", "hot"):
            found["cache"] = value or key
        elif part.isdigit():
            found["batch" if "size" in found else "size"] = int(part)
        elif SHAPE.match(part) or LAYER.match(part) and op != "step":
            found["layer"] = part
        else:
            variants.append(part)
    return Parts(op, "/".join(variants), **found)  # type: ignore[arg-type]
