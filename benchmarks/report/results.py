# SPDX-License-Identifier: MIT
"""The files of one machine, read and judged.

A row of an operation is accepted only when its result was checked in the process that timed it
(the counter `verified`). A file of a rehearsal is refused: it holds no measurements. Errors name
the file.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

from report.ceilings import context_ceilings
from report.races import Race, race_of, rows_beside
from report.rows import ResultError, Row, google_benchmark_rows, read_json
from report.stages import Stage, is_stage, read_stage, tests_passed

# Two measurements are divided, each with its noise. More than this above a roof is a mistake.
ROOF_TOLERANCE = 1.02
Document = Dict[str, Any]


@dataclass
class Results:
    """What one file holds."""

    file: Path
    context: Dict[str, Any]
    rows: List[Row] = field(default_factory=list)
    refused: List[str] = field(default_factory=list)  # sentences
    races: List[Race] = field(default_factory=list)
    note: str = ""  # what else it says


def judged(path: Path, rows: Sequence[Row]) -> Tuple[List[Row], List[str]]:
    """The rows whose results were checked, and a sentence about the others."""
    accepted: List[Row] = []
    unchecked: List[Row] = []
    for row in rows:
        checked = row.is_ceiling or row.counters.get("verified", 0) > 0
        (accepted if checked else unchecked).append(row)
        share = row.counters.get("roof_share", 0)
        if share > ROOF_TOLERANCE:
            raise ResultError(
                f"{path}: row '{row.name}' is at {100 * share:.0f} % of its roof: "
                "its work, its time or the ceiling is wrong"
            )
    if not unchecked:
        return accepted, []
    kinds = sorted({row.parts.op for row in unchecked})
    return accepted, [
        f"{path.name}: {len(unchecked)} of {len(rows)} rows have no counter 'verified': nobody "
        f"checked in that process that their results are right ({', '.join(kinds)})."
    ]


def of_stage(path: Path, document: Document, folder: Sequence[Document]) -> Results:
    """A stage of `./dev gpu`. Its iterations count where the same run's tests passed."""
    stage: Stage = read_stage(path, document)
    results = Results(path, stage.context, races=stage.races, note=stage.note)
    results.refused += [f"{path.name}: {failure}" for failure in stage.failures]
    trusted = any(tests_passed(other, document) for other in folder)
    for row in stage.rows:
        if row.is_ceiling or trusted:
            results.rows.append(row)
    if len(results.rows) < len(stage.rows):
        results.refused.append(
            f"{path.name}: the tests of the same commit did not pass in this folder: nobody knows "
            "whether what was timed is right."
        )
    return results


def read_document(path: Path, document: Document, folder: Sequence[Document]) -> Results:
    context = document.get("context")
    if not isinstance(context, dict):
        raise ResultError(f"{path}: expected an object 'context' that says where it was measured")
    if "benchmarks" in document:
        rows, failed = google_benchmark_rows(path, document)
        accepted, refused = judged(path, rows)
        return Results(path, context, accepted + context_ceilings(path, context), refused + failed)
    if "contenders" in document:
        race = race_of(path, document, context)
        return Results(path, context, rows_beside(path, document), races=[race])
    if is_stage(document):
        return of_stage(path, document, folder)
    raise ResultError(
        f"{path}: expected 'benchmarks' (Google Benchmark), 'contenders' (peers) or a 'stage'"
    )


def read_folder(folder: Path) -> List[Results]:
    """Every file of one machine."""
    documents = {path: read_json(path) for path in sorted(folder.glob("*.json"))}
    every = list(documents.values())
    return [read_document(path, document, every) for path, document in documents.items()]
