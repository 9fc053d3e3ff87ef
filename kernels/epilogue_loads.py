#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whether style_backward's epilogue loads what it joins before it stores, read from machine code.

A warp that waits for memory once for every pack has too few bytes under way. The compiler must
assume that a store changes what is loaded after it, so the source has to load first; that it
helped shows in the machine code alone. Compiles kernels/style_backward/style_backward.cu for sm_90a
and counts, in every kernel that joins packs of 16-bit values, how many times a load of 16 bytes
follows a store.

Ends with 8 if a kernel waits more often than it has groups of packs, and with 77 where nvcc or
nvdisasm is missing. nvdisasm comes with the CUDA toolkit and as the Python package
nvidia-cuda-nvdisasm.
"""

import re
import shutil
import sys
from typing import Dict, Iterator, List, Tuple

from kernel_resources import ROOT, find_nvdisasm, machine_code

SOURCE = ROOT / "kernels" / "style_backward" / "style_backward.cu"
TOO_MANY, NO_COMPILER = 8, 77

# The groups of packs, whose loads come together, in each kernel: its tile's columns, in packs.
GROUPS = {
    "style_backward_mma_kernel 64": 2,
    "style_backward_mma_kernel 128": 4,
    "style_backward_wgmma_kernel 64": 2,
    "style_backward_wgmma_kernel 128": 2,
}
KERNEL = re.compile(r"(style_backward_w?g?mma_kernel)INS0_\d+\w*?float16E(?:Li(64|128))(?:ELb(\d))?")


def kernels(assembly: str) -> Iterator[Tuple[str, List[str]]]:
    """Each kernel of 16-bit packs and its loads and stores of 16 bytes, in order."""
    for section in re.split(r"^\.text\.", assembly, flags=re.MULTILINE)[1:]:
        name = KERNEL.search(section.split(":", 1)[0])
        if name and name.group(3) != "0":
            found = re.findall(r"\b(LDG|STG)\.E\S*\.128\b", section)
            yield f"{name.group(1)} {name.group(2)}", found


def waits(accesses: List[str]) -> int:
    """How many times the kernel loads after it has stored, the first time included."""
    return sum(
        access == "LDG" and before != "LDG" for before, access in zip(["", *accesses], accesses)
    )


def main() -> int:
    nvcc, nvdisasm = shutil.which("nvcc"), find_nvdisasm()
    if nvcc is None or nvdisasm is None:
        print("no nvcc or no nvdisasm: the epilogues were not looked at", file=sys.stderr)
        return NO_COMPILER
    most: Dict[str, int] = {}
    for name, accesses in kernels(machine_code(nvcc, nvdisasm, SOURCE, "90a")):
        most[name] = max(most.get(name, 0), waits(accesses))
    for name, groups in GROUPS.items():
        print(f"{name}: waits {most.get(name, 0)} times, {groups} expected")
    return 0 if all(0 < most.get(name, 0) <= most_of for name, most_of in GROUPS.items()) else TOO_MANY


if __name__ == "__main__":
    sys.exit(main())
