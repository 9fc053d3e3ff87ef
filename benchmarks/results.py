# SPDX-License-Identifier: MIT
"""Reads the measurements kept in a folder, one folder for each machine, and judges them.

A row counts only if its result was checked in the process that timed it (the counter `verified`). A row
above its roof, a rehearsal and a broken file are errors; their messages name the file.
"""

import json
import math
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple

Document = Dict[str, Any]
SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}
PRECISIONS = ("fp32", "winograd", "tf32", "bf16", "fp16")
# Two measurements are divided, each with its noise. More than this above a roof is a mistake.
ROOF_TOLERANCE = 1.02
# What Google Benchmark writes beside a row's counters.
ROW_FIELDS = {"name", "run_name", "run_type", "label", "family_index", "per_family_instance_index", "repetitions",
              "repetition_index", "threads", "iterations", "real_time", "cpu_time", "time_unit"}  # fmt: skip
# What else went on while a row was measured: a median hides it where it was so in fewer than half of the repetitions.
DISTURBANCES = {"other_cores", "sm_mhz"}

# What the parts of a row's name say; after the operation they come in any order.
PARTS = [re.compile(pattern) for pattern in (
    rf"(?P<precision>{'|'.join(PRECISIONS)})", r"batch:(?P<batch>\d+)", "(?P<cache>cold|hot)", r"(?P<size>\d+)",
    r"(?P<layer>\S+)@(?P<size>\d+)", r"(?P<layer>\d+x\d+x\d+)",
)]  # fmt: skip
RUNG = re.compile(r"rung_(\d+)_(\w+)$")

OTHER_STEPS = "other steps"
# Kinds of an iteration's steps in the order they are shown, and the operations that steps of each call.
KINDS = {
    "convolutions, forward": ("first_conv_forward", "first_conv_gram_loss", "conv_forward"),
    "convolutions, data gradient": ("first_conv_backward", "conv_data_gradient"),
    "pooling, both ways": ("pool_forward", "pool_backward", "pool_forward_noting", "pool_backward_noted"),
    "Gram matrices, style loss": ("gram_loss",),
    "style gradient": ("style_first_conv_backward", "style_backward"),
    "content loss and gradient": ("content_loss",),
    "total variation": ("total_variation",),
    "Adam": ("adam",),
    OTHER_STEPS: (),
}


class ResultError(Exception):
    """A file of results that cannot be used. The message names it."""


@dataclass(frozen=True)
class Parts:
    """The parts of a name: gram/rung_3_shared_tile/conv3_1@512/bf16/batch:1/cold."""

    op: str
    variant: str = ""  # a rung, a backend, a step, or nothing where there is one way alone
    layer: str = ""
    size: int = 0  # side of the square picture
    precision: str = ""
    batch: int = 1
    cache: str = ""  # "cold" or "hot"

    @property
    def rung(self) -> str:
        """ "3 shared tile" of rung_3_shared_tile, else the variant's name."""
        match = RUNG.match(self.variant)
        return f"{match.group(1)} {match.group(2)}".replace("_", " ") if match else self.variant

    @property
    def number(self) -> int:
        match = RUNG.match(self.variant)
        return int(match.group(1)) if match else 99


@lru_cache(maxsize=None)
def parse(name: str) -> Parts:
    """What no pattern of PARTS knows is the variant."""
    op, *rest = name.split("/")
    found: Dict[str, Any] = {}
    variants = []
    for part in rest:
        match = next(filter(None, (pattern.fullmatch(part) for pattern in PARTS)), None)
        found.update(match.groupdict() if match else {})
        variants += [] if match else [part]
    numbers = {key: int(found[key]) for key in ("size", "batch") if key in found}
    return Parts(op, "/".join(variants), **{**found, **numbers})


@dataclass(frozen=True)
class Row:
    """One benchmark: the time of each repetition (none of a row that was counted), median counters."""

    name: str
    file: Path
    seconds_of: Tuple[float, ...]
    counters: Dict[str, float] = field(default_factory=dict)
    label: str = ""

    @property
    def parts(self) -> Parts:
        return parse(self.name)

    @property
    def seconds(self) -> float:
        return median(self.seconds_of)

    @property
    def variation(self) -> Optional[float]:
        """Standard deviation over mean: of the repetitions, or of the samples of the only one."""
        if len(self.seconds_of) > 1:
            return stdev(self.seconds_of) / mean(self.seconds_of)
        return self.counters.get("noise")

    @property
    def flops(self) -> float:
        return self.counters.get("flops", 0.0)

    @property
    def bytes(self) -> float:
        return self.counters.get("bytes", 0.0)

    @property
    def traffic(self) -> float:
        """Of a row that was counted: how often it moves what has to be moved."""
        return (self.counters["loaded_bytes"] + self.counters["stored_bytes"]) / self.bytes


def by_kind(steps: Sequence[Row], amount: Callable[[Row], float]) -> Dict[str, float]:
    """Sums over the steps of each kind, in the order of KINDS. A step's label is its operation."""
    sums = dict.fromkeys(KINDS, 0.0)
    for step in steps:
        sums[next((kind for kind, ops in KINDS.items() if step.label in ops), OTHER_STEPS)] += amount(step)
    return {kind: value for kind, value in sums.items() if value > 0}


@dataclass
class Roofs:
    """What a machine can do at most, as it was measured there."""

    flops: Dict[str, float] = field(default_factory=dict)  # by the ceiling's name
    bytes_per_second: Dict[str, float] = field(default_factory=dict)

    def add(self, name: str, flops: float = 0.0, bytes_per_second: float = 0.0) -> None:
        """A ceiling that several files measured is what the fastest of them saw."""
        for known, rate in ((self.flops, flops), (self.bytes_per_second, bytes_per_second)):
            if rate > known.get(name, 0.0):
                known[name] = rate

    @property
    def bandwidth(self) -> Optional[float]:
        """Of memory. Ceilings of a cache are nobody's denominator."""
        return max((rate for name, rate in self.bytes_per_second.items() if name.startswith("copy")), default=None)

    def peak(self, precision: str) -> Optional[float]:
        """The highest rate for values stored in `precision`: its own or, widened, float's."""
        usable = [rate for name, rate in self.flops.items() if precision_of(name) in (precision, "fp32")]
        return max(usable, default=None)

    def floor(self, flops: float, moved: float, precision: str) -> Optional[float]:
        """The seconds that so much work takes at least."""
        peak, bandwidth = self.peak(precision), self.bandwidth
        return None if peak is None or bandwidth is None else max(flops / peak, moved / bandwidth)

    def share(self, row: Row) -> Optional[float]:
        """How near a row is to its roof: what its program says, or else its floor over its time."""
        if "roof_share" in row.counters:
            return row.counters["roof_share"]
        floor = self.floor(row.flops, row.bytes, row.parts.precision)
        return floor / row.seconds if floor else None


def precision_of(ceiling: str) -> str:
    """ "fma/512/2" multiplies float; "bf16_dot/512/2" says its type."""
    return next((precision for precision in PRECISIONS if precision in ceiling), "fp32")


@dataclass(frozen=True)
class Contender:
    """A program in one configuration, and its time for an iteration: none where it could not be timed."""

    program: str
    form: str
    precision: str
    seconds: Optional[float] = None
    peak_memory_bytes: Optional[int] = None
    difference: float = 0.0  # of the losses of all pictures, from Impasto's in fp32

    @property
    def name(self) -> str:
        return ", ".join(filter(None, (self.program, self.form, self.precision)))

    @property
    def is_ours(self) -> bool:
        return self.program == "Impasto"


@dataclass(frozen=True)
class Comparison:
    """The same iteration by several programs in one run, their losses compared before."""

    size: int
    batch: int
    tuned: bool  # whether the libraries' plans were chosen by time
    contenders: List[Contender]

    def ours(self, precision: str) -> Optional[float]:
        return next((one.seconds for one in self.contenders if one.is_ours and one.precision == precision), None)


@dataclass
class Machine:
    """The measurements of one folder."""

    folder: Path
    contexts: Dict[str, Document] = field(default_factory=dict)  # by file
    rows: List[Row] = field(default_factory=list)
    roofs: Roofs = field(default_factory=Roofs)
    comparisons: List[Comparison] = field(default_factory=list)
    stages: Dict[str, Document] = field(default_factory=dict)  # of a run on a GPU, by name
    refused: List[str] = field(default_factory=list)  # sentences

    @property
    def name(self) -> str:
        return device_name(next(iter(self.contexts.values()), {}))

    @property
    def is_gpu(self) -> bool:
        return any(context.get("gpu") for context in self.contexts.values())

    def timed(self, op: str) -> List[Row]:
        return [row for row in self.rows if row.seconds_of and row.parts.op == op]

    def operations(self) -> Dict[str, List[Row]]:
        """Rows of operations measured alone, by operation."""
        ops = {row.parts.op for row in self.rows if row.seconds_of} - {"iteration", "step"}
        return {op: self.timed(op) for op in sorted(ops)}

    def ladders(self) -> List[Tuple[str, List[Row]]]:
        """Rungs by operation, those that were timed apart from those that were counted."""
        found: Dict[Tuple[str, bool], List[Row]] = {}
        for row in self.rows:
            if RUNG.match(row.parts.variant):
                found.setdefault((row.parts.op, bool(row.seconds_of)), []).append(row)
        return [(op, rows) for (op, _), rows in sorted(found.items())]

    def steps(self, precision: str, size: int, batch: int = 1) -> List[Row]:
        """Of one iteration, in the order of its schedule."""
        wanted = (precision, size, batch)
        return [row for row in self.timed("step") if (row.parts.precision, row.parts.size, row.parts.batch) == wanted]

    def detailed_steps(self) -> Dict[str, List[Row]]:
        """Of one iteration at 512×512 or the size nearest to it, by precision."""
        found: Dict[str, List[Row]] = {}
        sizes = {row.parts.size for row in self.timed("step") if row.parts.batch == 1}
        for precision in PRECISIONS if sizes else ():
            found[precision] = self.steps(precision, min(sizes, key=lambda size: abs(size - 512)))
        return {precision: steps for precision, steps in found.items() if steps}

    def floor(self, row: Row) -> Optional[float]:
        """The least seconds for the row's work. Of an iteration the sum over its steps: each needs the one before."""
        if row.parts.op != "iteration":
            return self.roofs.floor(row.flops, row.bytes, row.parts.precision)
        floors = [self.floor(step) for step in self.steps(row.parts.precision, row.parts.size, row.parts.batch)]
        return None if not floors or None in floors else sum(filter(None, floors))

    def seconds_and_floors(self, steps: Sequence[Row]) -> Tuple[Dict[str, float], Dict[str, float]]:
        """By kind of step; floors where they are known."""
        return by_kind(steps, lambda row: row.seconds), by_kind(steps, lambda row: self.floor(row) or 0.0)


def device_name(context: Document) -> str:
    named = context.get("gpu") or context.get("cpu") or {}
    return str(context.get("device") or named.get("name", "device not recorded"))


def truthy(value: Any) -> bool:
    """Google Benchmark's context holds words: "true", "false"; a tree without a repository says "unknown"."""
    return value not in (False, None, "", "false", "unknown", "0", 0)


def load_before(context: Document) -> Optional[float]:
    """The load of the machine before it measured, where that is known."""
    return context.get("load_average_before", (context.get("load_avg") or [None])[0])


def commit_of(context: Document) -> str:
    changes = " with changes" if truthy(context.get("dirty")) else ""
    return f"{context['commit'][:10]}{changes}" if "commit" in context else "not recorded"


def read_json(path: Path) -> Document:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ResultError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise ResultError(f"{path}: expected JSON: {error}") from error
    if not isinstance(document, dict):
        raise ResultError(f"{path}: expected an object with 'context', found a list or a value")
    context = document.get("context")
    if not isinstance(context, dict):
        raise ResultError(f"{path}: expected an object 'context' that says where it was measured")
    if truthy(document.get("rehearsal")) or truthy(context.get("rehearsal")):
        raise ResultError(f"{path}: the file of a rehearsal: its figures are no measurements")
    return document


OURS = "what './dev bench' or './dev gpu' writes, or one of their programs"


@contextmanager
def foreign(path: Path, expected: str = OURS) -> Iterator[None]:
    """What is missing in a file that is not ours, or is of another kind there, is an error that names the file."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ResultError(f"{path}: expected {expected}: {error!r}") from error


def merged_row(name: str, path: Path, entries: Sequence[Document]) -> Row:
    """All repetitions of a row."""
    counters = {key: (mean if key in DISTURBANCES else median)(float(entry[key]) for entry in entries)
                for key in entries[0] if key not in ROW_FIELDS and all(key in entry for entry in entries)}  # fmt: skip
    label = str(entries[0].get("label", ""))
    if "loaded_bytes" in counters:  # counted on the host-SIMT machine: no time is a GPU's
        return Row(name, path, (), counters, label)
    with foreign(path, f"real_time and a time_unit of row '{name}'"):
        seconds = tuple(entry["real_time"] * SECONDS[entry["time_unit"]] for entry in entries)
    if not all(0 < one < math.inf for one in seconds):
        raise ResultError(f"{path}: row '{name}': expected times above zero, found {min(seconds)} s")
    return Row(name, path, seconds, counters, label)


def gather_rows(path: Path, entries: Sequence[Document]) -> List[Row]:
    """What programs of ours wrote: every repetition of a name gathered into a row."""
    gathered: Dict[str, List[Document]] = {}
    for entry in entries:
        if not isinstance(entry, dict) or "name" not in entry:
            raise ResultError(f"{path}: expected every row of 'benchmarks' to have a name")
        if entry.get("run_type") != "aggregate":
            gathered.setdefault(str(entry.get("run_name", entry["name"])), []).append(entry)
    return [merged_row(name, path, repetitions) for name, repetitions in gathered.items()]


def read_rows(machine: Machine, path: Path, entries: Sequence[Document]) -> None:
    """Ceilings become roofs."""
    rows = gather_rows(path, entries)
    unchecked = []
    for row in rows:
        if "FLOP/s" in row.counters or "bytes/s" in row.counters:
            machine.roofs.add(row.name, row.counters.get("FLOP/s", 0.0), row.counters.get("bytes/s", 0.0))
        elif row.counters.get("verified", 0) > 0:
            machine.rows.append(row)
        else:
            unchecked.append(row)
    if unchecked:
        ops = ", ".join(sorted({row.parts.op for row in unchecked}))
        machine.refused.append(f"{path.name}: {len(unchecked)} of {len(rows)} rows have no counter 'verified': "
                               f"nobody checked in that process that their results are right ({ops}).")  # fmt: skip


def read_comparison(path: Path, entry: Document) -> Comparison:
    """A contender whose losses differ was not timed."""
    with foreign(path, "contenders as './dev bench' or './dev gpu' writes them"):
        contenders = [
            Contender(one["program"], one["form"], one["precision"], one.get("seconds_per_iteration"),
                      one.get("peak_memory_bytes"), one.get("differences", {}).get("loss of all pictures", 0.0))
            for one in entry["contenders"]
        ]  # fmt: skip
        return Comparison(entry["size"], entry.get("batch", 1), entry.get("tuned", True), contenders)


def passed(stage: Document) -> bool:
    return bool(stage["complete"]) and not stage.get("skipped") and not stage.get("failures")


def read_stage(machine: Machine, path: Path, stage: Document, folder: Sequence[Document]) -> None:
    """A stage of `./dev gpu` or `./dev bench`. Its iterations count where the tests of the same commit passed."""
    name, commit = stage["stage"], stage["context"].get("commit")
    machine.stages[name] = stage
    machine.refused += [f"{path.name}: {failure}" for failure in stage["failures"]]
    tests = [one for one in folder if one.get("stage") == "tests" and one["context"].get("commit") == commit]
    if name == "peers":
        machine.comparisons += [read_comparison(path, one) for one in stage["rows"] if one["contenders"]]
    elif name == "iteration" and not (truthy(commit) and any(map(passed, tests))):
        machine.refused.append(f"{path.name}: the tests of the same commit did not pass in this folder: nobody knows "
                               "whether what was timed is right.")  # fmt: skip
    elif name in ("environment", "iteration", "operations"):
        read_rows(machine, path, stage["benchmarks"])


def read_context_ceilings(machine: Machine, path: Path, context: Document) -> None:
    """What a program measured before its rows: "ceiling_bf16_flops": "7.5e+14"."""
    for key, value in context.items():
        match = re.match(r"ceiling_(\w+?)_(flops|bytes_per_second)$", key)
        if match:
            with foreign(path, f"a number as {key}"):
                machine.roofs.add(match.group(1), **{match.group(2): float(value)})


def clocks_of(document: Document) -> Dict[str, str]:
    """What a GPU's clocks were during a stage, and what held them."""
    words = {"clocks.sm": "multiprocessors MHz", "clocks.mem": "memory MHz", "power.draw": "power W",
             "temperature.gpu": "temperature °C"}  # fmt: skip
    watched = document.get("clocks", {})
    found = {words.get(name, name): f"{one['lowest']:g}–{one['highest']:g}" for name, one in watched.items()}
    held = document.get("throttled")
    return {**found, "throttled by": " and ".join(held)} if held else found


def read_file(machine: Machine, path: Path, document: Document, folder: Sequence[Document]) -> None:
    machine.contexts[path.name] = {**document["context"], **clocks_of(document)}
    read_context_ceilings(machine, path, document["context"])
    if "stage" in document and "complete" in document:
        read_stage(machine, path, document, folder)
    elif "contenders" in document or "benchmarks" in document:
        if "contenders" in document:
            machine.comparisons.append(read_comparison(path, document))
        read_rows(machine, path, document.get("benchmarks", []))
    else:
        raise ResultError(f"{path}: expected 'benchmarks' (Google Benchmark), 'contenders' (peers) or a 'stage'")


def read_machine(folder: Path) -> Machine:
    """Every file of one machine."""
    documents = {path: read_json(path) for path in sorted(folder.glob("*.json"))}
    machine = Machine(folder)
    for path, document in documents.items():
        with foreign(path):
            read_file(machine, path, document, list(documents.values()))
    for row in machine.rows:
        share = machine.roofs.share(row) if row.seconds_of else None
        if share and share > ROOF_TOLERANCE and ("roof_share" in row.counters or row.parts.cache == "cold"):
            raise ResultError(f"{row.file}: row '{row.name}' is at {100 * share:.0f} % of its roof: its work, its time "
                              "or the ceiling is wrong")  # fmt: skip
    return machine
