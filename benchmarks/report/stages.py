# SPDX-License-Identifier: MIT
"""Files of `./dev gpu`: one for each stage of the run."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List

from report.ceilings import ceiling
from report.races import Race, race_of
from report.rows import ResultError, Row

Document = Dict[str, Any]


@dataclass
class Stage:
    context: Dict[str, Any]
    note: str
    failures: List[str]
    rows: List[Row] = field(default_factory=list)
    races: List[Race] = field(default_factory=list)


def is_stage(document: Document) -> bool:
    return "stage" in document and "complete" in document


def passed(document: Document) -> bool:
    return (
        bool(document["complete"]) and not document.get("skipped") and not document.get("failures")
    )


def tests_passed(document: Document, other: Document) -> bool:
    """Whether this is the stage of the tests, of the commit that `other` was made from, and fine."""
    if not is_stage(document) or document["stage"] != "tests" or not passed(document):
        return False
    mine, theirs = document["context"], other["context"]
    return bool(mine.get("commit")) and mine.get("commit") == theirs.get("commit")


def ceilings(path: Path, document: Document) -> List[Row]:
    rates = document.get("ceilings")
    if not rates:
        return []
    rows = [ceiling(path, "copy", "bytes/s", rates["bytes_per_second"], document["context"])]
    for precision, rate in rates["flops"].items():
        name = f"matrix product {precision}"
        rows.append(ceiling(path, name, "FLOP/s", rate, document["context"]))
    return rows


def iterations(path: Path, document: Document) -> List[Row]:
    """Rows of the names that iteration_bench gives them. Shapes that did not fit have no time."""
    rows = []
    for entry in document["rows"]:
        if "error" in entry:
            continue
        shape = f"{entry['precision']}/{entry['size']}/batch:{entry['batch']}"
        context, seconds = document["context"], (entry["seconds"],)
        rows.append(Row(f"iteration/{shape}", path, seconds, {}, context))
        for step in entry.get("steps", []):
            name = f"step/{shape}/{step['name']}"
            rows.append(Row(name, path, (step["seconds"],), {}, context))
    return rows


def note_on(document: Document) -> str:
    """ "passed", or why not; and the clocks while it ran."""
    word = "passed" if passed(document) else "failed"
    if document.get("skipped"):
        word = f"skipped: {document['skipped']}"
    clocks = [
        f"{name} {watched['lowest']:g}–{watched['highest']:g}"
        for name, watched in document.get("clocks", {}).items()
    ]
    return "; ".join([word, *clocks])


def read_stage(path: Path, document: Document) -> Stage:
    try:
        stage = Stage(document["context"], note_on(document), document.get("failures", []))
        stage.rows = ceilings(path, document)
        if document["stage"] == "iteration":
            stage.rows += iterations(path, document)
        if document["stage"] == "peers":
            entries = document.get("rows", [])
            stage.races = [
                race_of(path, one, stage.context) for one in entries if one["contenders"]
            ]
        return stage
    except (KeyError, TypeError, AttributeError) as error:
        raise ResultError(f"{path}: expected what './dev gpu' writes: {error!r}") from error
