#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What nvcc makes of every CUDA kernel: registers, shared memory, spills, theoretical occupancy.

Compiles kernels/*/*.cu for every architecture, without a GPU, and reads
the assembler's report. Occupancy is the share of a multiprocessor's warps that fit at once, from
registers, static shared memory and the block size of __launch_bounds__.

Prints one line per kernel and writes benchmarks/results/nvcc/kernel_resources.json;
benchmarks/render.py makes a table of it. A kernel that spills ends the script with 8; without nvcc
it ends with 77.

With --ptx or --sass it prints the code of the kernels whose name contains a word instead, for the
first of the architectures (90a): `kernel_resources.py --sass gram_wgmma_kernel`. SASS needs
nvdisasm, of the CUDA toolkit or of the Python package nvidia-cuda-nvdisasm.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Optional

ROOT = Path(__file__).resolve().parent.parent
SPILLS, NO_COMPILER = 8, 77


@dataclass(frozen=True)
class Limits:
    """Of one multiprocessor (CUDA C++ Programming Guide, technical specifications)."""

    warps: int
    blocks: int
    shared_bytes: int
    shared_reserved: int = 1024  # by the system, for each block
    registers: int = 65536


LIMITS = {
    "75": Limits(32, 16, 64 << 10, shared_reserved=0),
    "80": Limits(64, 32, 164 << 10),
    "86": Limits(48, 16, 100 << 10),
    "89": Limits(48, 24, 100 << 10),
    "90a": Limits(64, 32, 228 << 10),
    "100": Limits(64, 32, 228 << 10),
    "120": Limits(48, 24, 100 << 10),
}


def round_up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple


def blocks_per_sm(arch: str, threads: int, registers: int, shared_bytes: int) -> int:
    """How many blocks of a kernel a multiprocessor holds at once."""
    limits = LIMITS[arch]
    warps = -(-threads // 32)
    registers_of_block = warps * round_up(registers * 32, 256)
    shared_of_block = round_up(shared_bytes, 128) + limits.shared_reserved
    return min(
        limits.blocks,
        limits.warps // warps,
        limits.registers // registers_of_block,
        limits.shared_bytes // max(shared_of_block, 1),
    )


def occupancy(arch: str, threads: int, registers: int, shared_bytes: int) -> float:
    blocks = blocks_per_sm(arch, threads, registers, shared_bytes)
    return blocks * -(-threads // 32) / LIMITS[arch].warps


def sources() -> List[Path]:
    return sorted((ROOT / "kernels").glob("*/*.cu"))


def compile_source(nvcc: str, source: Path, arch: str, *options: str) -> str:
    command = [nvcc, f"-arch=sm_{arch}", "-std=c++20", "--expt-relaxed-constexpr"]
    command += ["-DIMPASTO_DEVICE=cuda", f"-I{ROOT}", str(source), *options]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}\n{done.stderr}")
    return done.stderr


def find_nvdisasm() -> Optional[str]:
    """The toolkit's, or the one that `./dev test --cuda` installs."""
    here = ROOT / "build" / "deps" / "nvidia" / "cu13" / "bin"
    return shutil.which("nvdisasm") or shutil.which("nvdisasm", path=str(here))


def machine_code(nvcc: str, nvdisasm: str, source: Path, arch: str) -> str:
    """Every kernel of a source as SASS, each after ".text.<mangled name>:"."""
    with tempfile.TemporaryDirectory() as folder:
        cubin = Path(folder) / "kernel.cubin"
        compile_source(nvcc, source, arch, "-cubin", "-o", str(cubin))
        listed = subprocess.run([nvdisasm, "-c", str(cubin)], check=True, capture_output=True, text=True)
        return listed.stdout


def ptx_of(nvcc: str, source: Path, arch: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        ptx = Path(folder) / "kernel.ptx"
        compile_source(nvcc, source, arch, "-ptx", "-o", str(ptx))
        return ptx.read_text(encoding="utf-8")


def show(nvcc: str, word: str, arch: str, sass: bool) -> int:
    """Prints the code of the kernels whose name contains the word."""
    nvdisasm = find_nvdisasm()
    if sass and nvdisasm is None:
        print("no nvdisasm on the path nor in build/deps: no SASS", file=sys.stderr)
        return NO_COMPILER
    start = r"^\.text\.(\w+):" if sass else r"^(?:\.visible )?\.entry (\w+)"
    found = False
    for source in sources():
        if not any(word.split("<")[0] in file.read_text(encoding="utf-8") for file in source.parent.glob("*.cu*")):
            continue
        code = machine_code(nvcc, str(nvdisasm), source, arch) if sass else ptx_of(nvcc, source, arch)
        parts = re.split(start, code, flags=re.MULTILINE)[1:]
        for name, text in zip(demangled(parts[::2]), parts[1::2]):
            if word in name:
                found = True
                end = r"^//-----" if sass else r"^}\n"
                print(f"// {name}, sm_{arch}\n{re.split(end, text, maxsplit=1, flags=re.MULTILINE)[0].rstrip()}\n")
    if not found:
        print(f"no kernel's name contains '{word}'; they are {', '.join(kernel_names())}", file=sys.stderr)
    return 0 if found else 2


def kernel_names() -> List[str]:
    """As the sources define them, without namespaces."""
    texts = [one.read_text(encoding="utf-8") for one in (ROOT / "kernels").glob("*/*.cu*")]
    return sorted({name for text in texts for name in re.findall(r"(\w+_kernel)\(", text)})


def demangled(names: List[str]) -> List[str]:
    """"pool_forward_kernel<float, 4>": without namespaces and parameters. Mangled names differ from
    one run of nvcc to the next."""
    output = subprocess.run(["c++filt"], input="\n".join(names), capture_output=True, text=True)
    short = []
    for line in output.stdout.splitlines():
        line = re.sub(r"\(anonymous namespace\)::|impasto::kernels::(\w+::)?|^void ", "", line)
        short.append(re.sub(r"\([A-Z]\w*\)(?=\d)", "", line).rsplit("(", 1)[0])
    return short


def block_sizes(ptx: str) -> Dict[str, int]:
    """The threads of a block, from __launch_bounds__, by kernel."""
    found = re.findall(r"\.entry (\S+?)\([^)]*\)\s*\.maxntid (\d+)", ptx)
    names = demangled([name for name, _ in found])
    return {name: int(threads) for name, (_, threads) in zip(names, found)}


REPORT = re.compile(
    r"Compiling entry function '(\S+)' for '\S+'.*?"
    r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads.*?"
    r"Used (\d+) registers(?:[^\n]*?(\d+) bytes smem)?",
    re.DOTALL,
)


def resources(nvcc: str, source: Path, arch: str) -> List[Dict]:
    with tempfile.TemporaryDirectory() as folder:
        report = compile_source(
            nvcc, source, arch, "-cubin", "-o", "/dev/null", "-Xptxas", "-v", "--keep", "--keep-dir", folder
        )
        threads = block_sizes((Path(folder) / f"{source.stem}.ptx").read_text(encoding="utf-8"))
    found = REPORT.findall(report)
    rows = []
    for name, (_, stack, stores, loads, registers, shared) in zip(
        demangled([entry[0] for entry in found]), found
    ):
        row = {
            "kernel": name,
            "architecture": arch,
            "threads": threads.get(name, 1),  # no bounds: a single thread
            "registers": int(registers),
            "shared_bytes": int(shared or 0),
            "stack_bytes": int(stack),
            "spill_bytes": int(stores) + int(loads),
        }
        row["occupancy"] = occupancy(arch, row["threads"], row["registers"], row["shared_bytes"])
        rows.append(row)
    return rows


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--architectures", nargs="+", choices=list(LIMITS))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--no-output", action="store_true", help="write no file")
    code = parser.add_mutually_exclusive_group()
    code.add_argument("--ptx", metavar="KERNEL", help="print its PTX")
    code.add_argument("--sass", metavar="KERNEL", help="print its SASS")
    return parser.parse_args()


def main() -> int:
    arguments = parse_arguments()
    nvcc = shutil.which("nvcc")
    if nvcc is None:
        print("no nvcc on the path: the CUDA kernels were not compiled", file=sys.stderr)
        return NO_COMPILER
    if arguments.ptx or arguments.sass:
        arch = (arguments.architectures or ["90a"])[0]
        return show(nvcc, arguments.ptx or arguments.sass, arch, bool(arguments.sass))
    rows: List[Dict] = []
    with ThreadPoolExecutor(arguments.jobs) as pool:
        work = [(source, arch) for source in sources() for arch in arguments.architectures or LIMITS]
        for (source, _), found in zip(work, pool.map(lambda item: resources(nvcc, *item), work)):
            rows += [{"op": source.parent.name, **row} for row in found]
    for row in rows:
        print(
            f"sm_{row['architecture']:4} {row['kernel']:60} {row['registers']:4} registers "
            f"{row['shared_bytes']:6} bytes shared {row['spill_bytes']:4} spilled "
            f"{row['occupancy']:4.0%} occupancy"
        )
    if not arguments.no_output:
        version = subprocess.run([nvcc, "--version"], capture_output=True, text=True).stdout
        output = ROOT / "benchmarks" / "results" / "nvcc" / "kernel_resources.json"
        output.parent.mkdir(parents=True, exist_ok=True)
        # One line for each kernel, so that a difference can be read.
        lines = ",\n".join(f"  {json.dumps(row)}" for row in rows)
        number = re.search(r"V([\d.]+)", version).group(1)
        output.write_text(f'{{"nvcc": "{number}", "kernels": [\n{lines}\n]}}\n', encoding="utf-8")
    spilling = sorted({row["kernel"] for row in rows if row["spill_bytes"]})
    if spilling:
        print(f"these kernels spill registers: {', '.join(spilling)}", file=sys.stderr)
        return SPILLS
    return 0


if __name__ == "__main__":
    sys.exit(main())
