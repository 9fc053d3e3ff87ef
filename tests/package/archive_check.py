#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whether the archive of `./dev package` runs by itself: archive_check.py ARCHIVE.

Unpacks it into an empty folder and stylizes a sample with an empty environment. Every library that
the loader takes must come from the archive, but for those of C and C++ and NVIDIA's.
"""

import platform
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Dict, Iterable, List

from run_paths import bad_parts, elf_files

MOST_BYTES = 60_000_000
# docs/install.md promises Ubuntu 22.04. Its versions, and the glibc of Debian 12, where an archive that keeps the
# promise is made.
PROMISED = {"GLIBC": "2.35", "GLIBCXX": "3.4.30"}
PROMISED_BY = "2.36"
# Libraries of the machine.
C_LIBRARY = re.compile(r"(ld-linux-x86-64|lib(c|m|dl|pthread|rt|resolv|util|stdc\+\+|gcc_s))\.so")
NVIDIA = re.compile(r"lib(cuda|cudart|cudnn\w*|cublas|cublasLt|nvrtc|nvJitLink)[.\-_]")


def run(*command: object, environment: Dict[str, str]) -> str:
    words = [str(word) for word in command]
    done = subprocess.run(words, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def strangers(paths: Iterable[str], root: Path) -> List[str]:
    """Those that are neither in the archive nor the machine's own."""
    inside = str(root) + "/"
    return sorted(
        {
            path
            for path in paths
            if not path.startswith(inside)
            and not C_LIBRARY.match(Path(path).name)
            and not NVIDIA.match(Path(path).name)
        }
    )


def needed(program: Path) -> List[str]:
    """The paths of its libraries as the loader would find them; "x not found" where it would not."""
    lines = run("/usr/bin/ldd", program, environment={}).splitlines()
    pairs = (re.match(r"\s*(\S+) => (not found|\S+)", line) for line in lines)
    return [
        f"{pair[1]} not found" if pair[2] == "not found" else str(Path(pair[2]).resolve())
        for pair in pairs
        if pair
    ]


def loaded(traces: Iterable[Path]) -> List[str]:
    """The libraries that were loaded, by LD_DEBUG's word."""
    text = "".join(path.read_text() for path in traces)
    return [str(Path(path).resolve()) for path in re.findall(r"calling init: (/\S+)", text)]


def parts(version: str) -> List[int]:
    return [int(part) for part in version.split(".")]


def broken_promise(asked: Dict[str, str], own_glibc: str) -> str:
    """What an archive that was made with that glibc asks for and docs/install.md does not promise; empty if nothing."""
    if parts(own_glibc) > parts(PROMISED_BY):
        return ""
    return ", ".join(
        f"{library}_{version}" for library, version in asked.items() if parts(version) > parts(PROMISED[library])
    )


def newest(library: str, root: Path) -> str:
    """The newest version of that library, GLIBC or GLIBCXX, that anything in the archive asks for."""
    versions = set()
    for path in elf_files(root):
        table = run("objdump", "-T", path, environment={"PATH": "/usr/bin"})
        versions |= set(re.findall(rf"{library}_([\d.]+)", table))
    return max(versions, key=parts)


def check(root: Path, folder: Path) -> None:
    for program in sorted((root / "bin").iterdir()):
        found = strangers(needed(program), root)
        if found:
            sys.exit(f"{program.name} takes from outside the archive: {', '.join(found)}")
    picture, trace = folder / "picture.png", folder / "trace"
    command = [root / "bin" / "impasto", "stylize", "sample:scene", "sample:painting", "--quiet"]
    command += ["--size", "64", "--iterations", "2", "--device", "cpu", "-o", picture]
    run(*command, environment={"LD_DEBUG": "libs", "LD_DEBUG_OUTPUT": str(trace)})
    libraries = loaded(folder.glob("trace.*"))
    if not libraries or not picture.read_bytes().startswith(b"\x89PNG"):
        sys.exit("impasto stylize of the archive made no picture")
    found = strangers(libraries, root)
    if found:
        sys.exit(f"impasto stylize took from outside the archive: {', '.join(found)}")
    # The scripts are all there, too.
    script = root / "share" / "impasto" / "benchmarks" / "campaign" / "run.py"
    options = ("--rehearse", "--only", "determinism", "--output", folder / "results")
    run(sys.executable, script, *options, environment={"PATH": "/usr/bin:/bin"})


def main() -> int:
    archive = Path(sys.argv[1])
    size = archive.stat().st_size
    if size > MOST_BYTES:
        sys.exit(f"{archive.name} has {size / 1e6:.1f} MB, more than {MOST_BYTES / 1e6:.0f}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        with tarfile.open(archive) as packed:
            packed.extractall(folder / "unpacked")
        (root,) = (folder / "unpacked").iterdir()
        if wrong := [path.name for path in elf_files(root) if bad_parts(path)]:
            sys.exit(f"these look for libraries in the current folder: {', '.join(wrong)}")
        check(root, folder)
        asked = {library: newest(library, root) for library in PROMISED}
        if broken := broken_promise(asked, platform.libc_ver()[1]):
            sys.exit(f"{archive.name} asks for {broken}, which Ubuntu 22.04 does not have")
        print(
            f"{archive.name}: {size / 1e6:.1f} MB, runs by itself "
            f"with glibc {asked['GLIBC']} and libstdc++ with GLIBCXX_{asked['GLIBCXX']}, or newer"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
