#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Damages kernels one statement at a time, and says which damage no test notices.

Every barrier, wait, fence, commit and arrival of every kernel is removed in turn; what the host-SIMT
machine does with mma and ldmatrix gets each pair of its registers exchanged in turn. For each such mutant
one file is compiled, the device tests are linked with it, and those of its operation run until one fails.
What nvcc makes of the inline assembly itself is damaged by tests/ptx/kernels_test.py.

Results are kept in tests/kernels/mutants.json, and a mutant is tried again only if what it was made of
has changed. One that no test notices needs a reason there, written by hand. The script ends with 8 where
a reason is lacking; with --check it tries nothing and ends with 8 where a mutant is not kept either.

It needs a build in which device_kernels_test is up to date, and takes about 20 s a mutant:
    nice -n 19 python3 tests/kernels/mutants.py
"""

import argparse
import hashlib
import json
import re
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterator, List, Optional

ROOT = Path(__file__).resolve().parents[2]
KEPT = Path(__file__).with_suffix(".json")
TESTS = ROOT / "tests" / "kernels" / "device"
MACHINE = ROOT / "simt" / "ptx_host.cpp"
WITHOUT_REASON = 8
SECONDS = 600

WORD = (
    r"\b(?:simt::)?(?:__sync\w+|__threadfence\w*|next_phase|cp_async_(?:commit|wait)_group"
    r"|wgmma_(?:fence|commit_group|wait_group)|fence_barriers|fence_async_proxy|arrive(?:_expect_tx)?|wait)\b"
)
STATEMENT = re.compile(rf"^\s*(?:(?:if|for) \(.*\) )?(?P<call>{WORD}(?:<[^;]*>)?\([^;]*\));$", re.MULTILINE)
# What the machine reads or writes of an instruction's registers, and how many of them there are.
REGISTERS = (("own.a[i]", 4), ("own.b[i]", 2), ("self.registers[i]", 4), ("d[i]", 4))


@dataclass
class Mutant:
    """One damage: a text in place of another at one place of a file."""

    name: str
    file: Path
    start: int
    end: int
    text: str
    ops: str  # whose device tests are to notice, one after the other

    def source(self) -> str:
        content = self.file.read_text(encoding="utf-8")
        return content[: self.start] + self.text + content[self.end :]


def includes(source: Path) -> List[Path]:
    """The kernels' headers that a source includes, itself first."""
    found = [source]
    for path in found:
        for name in re.findall(r'#include "(kernels/[^"]+)"', path.read_text(encoding="utf-8")):
            if ROOT / name not in found and (ROOT / name).exists():
                found.append(ROOT / name)
    return found


def operations_of(header: Path) -> str:
    """The operation that owns a file; of a shared header three, those with the least to compile first."""
    if header.parent.name != "common":
        return header.parent.name
    users = [source for source in ROOT.glob("kernels/*/*.cu") if header in includes(source)]
    users = [source for source in users if (TESTS / f"{source.stem}_device_test.cpp").exists()]
    users.sort(key=lambda source: (len(includes(source)), source.stem))
    return " ".join(source.stem for source in users[:3])


def removals() -> Iterator[Mutant]:
    for file in sorted([*ROOT.glob("kernels/*/*.cu"), *ROOT.glob("kernels/*/*.cuh")]):
        seen: Dict[str, int] = {}
        content = file.read_text(encoding="utf-8")
        calls = len(re.findall(rf"{WORD}(?:<[^;]*?>)?\(", without_comments(content)))
        if calls != len(STATEMENT.findall(content)):
            raise RuntimeError(f"{file}: one of its {calls} barriers and waits has a form that is not known here")
        for match in STATEMENT.finditer(content):
            call = " ".join(match["call"].split())
            seen[call] = seen.get(call, 0) + 1
            name = f"{file.relative_to(ROOT / 'kernels')}: without {call}"
            name += f", the {seen[call]}." if seen[call] > 1 else ""
            yield Mutant(name, file, match.start("call"), match.end("call"), "", operations_of(file))


def exchanges() -> Iterator[Mutant]:
    content = MACHINE.read_text(encoding="utf-8")
    for text, count in REGISTERS:
        places = [match.start() for match in re.finditer(re.escape(text), content)]
        for number, start in enumerate(places, 1):
            for i in range(count):
                for j in range(i + 1, count):
                    changed = text.replace("[i]", f"[i == {i} ? {j} : i == {j} ? {i} : i]")
                    name = f"ptx_host.cpp: {text} with {i} and {j} exchanged, the {number}."
                    yield Mutant(name, MACHINE, start, start + len(text), changed, "gram style_backward")


def without_comments(code: str) -> str:
    return re.sub(r"\s*//.*", "", code)


def digest(mutant: Mutant) -> str:
    """Of everything that decides whether the mutant is noticed: its sources, its tests and the machine."""
    whole = hashlib.sha256(without_comments(mutant.source()).encode())
    paths = [*sorted(ROOT.glob("simt/*.cpp")), *sorted(ROOT.glob("simt/*.hpp"))]
    for op in mutant.ops.split():
        paths += sorted(includes(ROOT / "kernels" / op / f"{op}.cu"))
        paths += sorted(TESTS.glob(f"{op}*_device_test.cpp"))
    for path in paths:
        whole.update(without_comments(path.read_text(encoding="utf-8")).encode())
    return whole.hexdigest()[:16]


def suites(op: str) -> List[str]:
    names = set()
    for file in TESTS.glob(f"{op}_*device_test.cpp"):
        if op == "gram" and "gram_loss" in file.name:
            continue
        names.update(re.findall(r"^TEST(?:_[FP])?\((\w+),", file.read_text(encoding="utf-8"), re.MULTILINE))
    return sorted(names)


class Bench:
    """Compiles, links and runs mutants in a folder of their own, as the build compiles what is in it."""

    def __init__(self, build: Path, folder: Path) -> None:
        self.build, self.folder = build, folder
        database = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
        self.commands = {}
        for entry in database:
            command = shlex.split(entry["command"])
            output = command[command.index("-o") + 1]
            traced = "impasto_traced_kernels" in output or "simt.dir" in output
            if traced and "add_a_kernel" not in output:
                file = Path(entry["file"])
                # The build compiles the files of a folder as one; here each is compiled alone.
                parts = re.findall(r'#include "([^"]+)"', file.read_text(encoding="utf-8")) if "Unity" in output else []
                for source in [file, *map(Path, parts)]:
                    self.commands[source] = command
        listed = subprocess.run(
            ["ninja", "-t", "commands", "device_kernels_test"], cwd=build, capture_output=True, text=True, check=True
        )
        last = [line for line in listed.stdout.splitlines() if "-o bin/device_kernels_test" in line][-1]
        self.link = shlex.split(next(part for part in last.split(" && ") if "-o bin/device_kernels_test" in part))

    def compile(self, source: Path, file: Path, content: str) -> Optional[str]:
        """The object of a source in which `file` has this content, linked into the tests; or an error."""
        overlay = self.folder / "source" / file.relative_to(ROOT)
        overlay.parent.mkdir(parents=True, exist_ok=True)
        overlay.write_text(content, encoding="utf-8")
        command = list(self.commands[source])
        command[command.index("-o") + 1] = str(self.folder / "mutant.o")
        command[command.index("-c") + 1] = str(overlay if source == file else source)
        command.insert(1, f"-I{self.folder / 'source'}")
        command += ["-Wno-error", "-w"]
        done = subprocess.run(command, cwd=self.build, capture_output=True, text=True)
        overlay.unlink()
        if done.returncode != 0:
            return done.stderr
        # In front of all other objects: of a function that several have, the first is linked.
        link = list(self.link)
        first = next(i for i, part in enumerate(link) if part.endswith(".o"))
        link[first:first] = ["-Wl,-z,muldefs", str(self.folder / "mutant.o")]
        link[link.index("-o") + 1] = str(self.folder / "mutant")
        done = subprocess.run(link, cwd=self.build, capture_output=True, text=True)
        return done.stderr if done.returncode != 0 else None

    def failure(self, names: List[str]) -> Optional[str]:
        """The first test that fails; None if all pass."""
        options = ["--gtest_fail_fast", "--gtest_brief=1", "--gtest_filter=" + ":".join(names)]
        try:
            done = subprocess.run(
                [str(self.folder / "mutant"), *options], capture_output=True, text=True, timeout=SECONDS
            )
        except subprocess.TimeoutExpired:
            return "does not end"
        if done.returncode == 0:
            return None
        failed = re.search(r"\[  FAILED  \] ([^\s,(]+)", done.stdout)
        return failed[1] if failed else "crashes"

    def noticed_by(self, mutant: Mutant) -> Optional[str]:
        for op in mutant.ops.split():
            whole = mutant.file if mutant.file.suffix != ".cuh" else ROOT / "kernels" / op / f"{op}.cu"
            error = self.compile(whole, mutant.file, mutant.source())
            if error is not None:
                raise RuntimeError(f"{mutant.name}: does not compile\n{error}")
            names = [f"*{suite}.*" for suite in suites(op)]
            rung = re.match(r"rung_\w+", mutant.file.name)
            # A rung's own tests, or those of all rungs on small problems, are enough to notice most.
            first = [f"{name}{rung[0]}" for name in names] if rung else [name for name in names if "Ladder" in name]
            found = (self.failure(first) if first else None) or self.failure(names)
            if found:
                return found
        return None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "release", help="(build/release)")
    parser.add_argument("--only", default="", metavar="WORD", help="mutants with this word in their name")
    parser.add_argument("--check", action="store_true", help="try nothing")
    arguments = parser.parse_args()
    kept: Dict[str, Dict[str, str]] = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    mutants = [*removals(), *exchanges()]
    known = {mutant.name for mutant in mutants}
    kept = {name: row for name, row in kept.items() if name in known}
    mutants.sort(key=lambda mutant: mutant.name in kept)  # what was never tried first
    missing = []
    with tempfile.TemporaryDirectory() as folder:
        bench = None if arguments.check else Bench(arguments.build.resolve(), Path(folder))
        for mutant in mutants:
            of_mutant = digest(mutant)
            row = kept.get(mutant.name)
            if row and row["digest"] == of_mutant or arguments.only not in mutant.name:
                continue
            if bench is None:
                if not row:
                    missing.append(mutant.name)
                continue
            found = bench.noticed_by(mutant)
            row = {"digest": of_mutant, **({"noticed by": found} if found else {})}
            reason = kept.get(mutant.name, {}).get("reason")
            if reason and not found:
                row["reason"] = reason
            kept[mutant.name] = row
            print(f"{mutant.name}: {found or 'NO TEST NOTICES'}", flush=True)
            KEPT.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    for name in missing:
        print(f"{name}: was not tried", file=sys.stderr)
    silent = [name for name, row in kept.items() if "noticed by" not in row and "reason" not in row]
    for name in silent:
        print(f"{name}: no test notices, and no reason is given", file=sys.stderr)
    unnoticed = sum("noticed by" not in row for row in kept.values())
    stale = sum(kept[mutant.name]["digest"] != digest(mutant) for mutant in mutants if mutant.name in kept)
    print(f"{len(mutants)} mutants, {unnoticed} unnoticed; {stale} were tried with older sources")
    return WITHOUT_REASON if silent or missing else 0


if __name__ == "__main__":
    sys.exit(main())
