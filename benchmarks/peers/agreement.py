# SPDX-License-Identifier: MIT
"""Whether two runs computed the same losses.

In double they do, to the last digit that is logged, for as long as one likes. In fp32 no two programs
stay together, nor does PyTorch with itself in another memory layout: rounding decides the ReLU of a
few values near zero, each of which changes the gradient of a hundred pixels a little, and Adam's
first step is the gradient's sign. So the first picture is held to the precision of fp32, every term of
it, and the pictures after it to what the optimisation is about, their loss. Observed at 256x256: PyTorch's
two layouts differ by 2.3e-4 in that loss, which is as far as either is from Impasto. bf16 itself, against
fp32, is off by 2.8e-2 in the deepest style term and 1.3e-2 in the loss, in both programs alike.
"""

import math
from dataclasses import dataclass
from typing import Any, Dict, Iterator, Sequence, Tuple

Record = Dict[str, Any]

# By precision and by what is compared; relative.
LIMITS = {
    "fp64": {"terms of all pictures": 1e-6},
    "fp32": {"terms of the first picture": 1e-5, "loss of all pictures": 1e-3},
    "winograd": {"terms of the first picture": 1e-5, "loss of all pictures": 1e-3},
    "tf32": {"terms of the first picture": 6e-3, "loss of all pictures": 2.5e-3},
    "fp16": {"terms of the first picture": 6e-3, "loss of all pictures": 2.5e-3},
    "bf16": {"terms of the first picture": 5e-2, "loss of all pictures": 2e-2},
}


@dataclass(frozen=True)
class Difference:
    """The largest relative difference between two runs, and where it is."""

    value: float
    where: str


def terms(record: Record) -> Iterator[Tuple[str, float]]:
    """Every number of a record that is a loss or a part of one."""
    for name in ("loss", "content", "style"):
        yield name, record[name]
    for group in ("content_layers", "style_layers"):
        for layer, value in record[group].items():
            yield f"{group}.{layer}", value


def relative_difference(a: float, b: float) -> float:
    """Of the larger one; infinite where either is not a number."""
    if a == b:
        return 0.0
    value = abs(a - b) / max(abs(a), abs(b))
    return math.inf if math.isnan(value) else value


def differences(ours: Sequence[Record], theirs: Sequence[Record]) -> Dict[str, Difference]:
    """By what is compared. Refuses runs that are empty or do not list the same things."""
    if not ours or len(ours) != len(theirs):
        raise RuntimeError(f"{len(ours)} pictures against {len(theirs)}")
    largest: Dict[str, Difference] = {}
    for our_record, their_record in zip(ours, theirs):
        our_terms, their_terms = dict(terms(our_record)), dict(terms(their_record))
        if our_terms.keys() != their_terms.keys():
            raise RuntimeError(f"terms {sorted(our_terms)} against {sorted(their_terms)}")
        for name, our_value in our_terms.items():
            where = f"{name}, picture {our_record['iteration']}"
            found = Difference(relative_difference(our_value, their_terms[name]), where)
            compared = ["terms of all pictures"]
            if our_record is ours[0]:
                compared.append("terms of the first picture")
            if name == "loss":
                compared.append("loss of all pictures")
            for what in compared:
                if what not in largest or found.value > largest[what].value:
                    largest[what] = found
    return largest


def judge(ours: Sequence[Record], theirs: Sequence[Record], precision: str) -> Tuple[bool, Dict[str, float], str]:
    """Whether the runs agree, the differences that decide it, and both as a sentence."""
    found = differences(ours, theirs)
    limits = LIMITS[precision]
    agree = all(found[what].value <= limit for what, limit in limits.items())
    parts = [
        f"{what} within {found[what].value:.1e} ({found[what].where}), allowed {limit:.0e}"
        for what, limit in limits.items()
    ]
    sentence = f"{'agree' if agree else 'DIFFER'}: {'; '.join(parts)}"
    return agree, {what: found[what].value for what in limits}, sentence
