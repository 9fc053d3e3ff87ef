# SPDX-License-Identifier: MIT
"""The work of an iteration's steps and of rungs (results/model/work.json), and what it takes at least."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

from report.rows import ResultError, read_json

Steps = Dict[str, Tuple[float, float]]  # FLOP and bytes by the name of the step
BYTES_PER_VALUE = {"fp32": 4, "tf32": 4, "bf16": 2, "fp16": 2}

# Kinds of steps by the end of their names, in the order they are shown.
KINDS = (
    ("convolutions, forward", re.compile(r"conv\d_\d forward$")),
    ("convolutions, data gradient", re.compile(r"conv\d_\d backward$")),
    ("pooling, both ways", re.compile(r"pool\d (forward|backward)$")),
    ("Gram matrices, style loss", re.compile(r"(Gram matrix|style loss)$")),
    ("style gradient", re.compile(r"style backward$")),
    ("content loss and gradient", re.compile(r"content loss$")),
    ("total variation", re.compile(r"total variation$")),
    ("Adam", re.compile(r"Adam$")),
    ("other steps", re.compile("")),
)


def kind_of(step: str) -> str:
    return next(label for label, pattern in KINDS if pattern.search(step))


@dataclass(frozen=True)
class RungWork:
    """What one rung executes and asks of memory on one shape, by its own account."""

    op: str
    shape: str  # "conv3_1@512"
    precision: str
    rung: str
    idea: str
    tensor_cores: bool
    least_sm: int
    sm_90a: bool  # runs on nothing else
    ships: bool  # where no tuning table says otherwise
    flops: float
    bytes: float
    least: Tuple[float, float]  # FLOP and bytes that the operation needs, whoever does it

    def runs_on(self, sm: int) -> bool:
        return sm == 90 if self.sm_90a else sm >= self.least_sm


@dataclass(frozen=True)
class WorkTable:
    iterations: Dict[Tuple[int, int], Steps]  # by size and bytes per value
    rungs: List[RungWork] = field(default_factory=list)

    @property
    def sizes(self) -> List[int]:
        return sorted({size for size, _ in self.iterations})

    def steps(self, size: int, precision: str) -> Steps:
        """Nothing where the table has no such size."""
        return self.iterations.get((size, BYTES_PER_VALUE.get(precision, 4)), {})


def as_table(document: Dict[str, Any]) -> WorkTable:
    """What work_table prints."""
    return WorkTable(
        {
            (entry["size"], entry["bytes_per_value"]): {
                name: (float(flops), float(moved))
                for name, (flops, moved) in entry["steps"].items()
            }
            for entry in document["iterations"]
        },
        [RungWork(**{**entry, "least": tuple(entry["least"])}) for entry in document["rungs"]],
    )


def read_work(path: Path) -> WorkTable:
    try:
        return as_table(read_json(path))
    except (KeyError, TypeError, ValueError) as error:
        raise ResultError(f"{path}: expected what work_table prints: {error!r}") from error


def floors_by_kind(steps: Steps, floor: Callable[[float, float], float]) -> Dict[str, float]:
    """Seconds by kind of step: each step takes its own floor, none overlaps another."""
    sums: Dict[str, float] = {}
    for name, (flops, moved) in steps.items():
        kind = kind_of(name)
        sums[kind] = sums.get(kind, 0.0) + floor(flops, moved)
    return sums
