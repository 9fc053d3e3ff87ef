# SPDX-License-Identifier: MIT
"""The tree keeps its promises: one stem everywhere, one direction of includes, links that lead somewhere."""

import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SUFFIXES = (".hpp", ".cpp", ".cu", ".cuh")
# What uses the product and is no part of it: may include everything, and nothing of the product includes it.
AROUND = ("tests", "benchmarks")


def source_folders():
    """The top-level folders that hold code, what a build leaves behind excepted."""
    folders = {p.relative_to(ROOT).parts[0] for suffix in SUFFIXES for p in ROOT.glob(f"*/**/*{suffix}")}
    return sorted(f for f in folders if not f.startswith((".", "build")))


def sources(*folders):
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in SUFFIXES:
                yield path


def includes(path):
    return re.findall(r'^#include "([^"]+)"', path.read_text(), re.MULTILINE)


def drawn_layers():
    """The folders in the picture of docs/architecture.md, and its arrows between them."""
    picture = re.search(r"```mermaid\n(.*?)```", (ROOT / "docs/architecture.md").read_text(), re.DOTALL).group(1)
    folders = dict(re.findall(r'(\w+)\["([\w/]+)', picture))
    arrows = re.findall(r'(\w+)(?:\[[^\]]*\])? --> (\w+)', picture)
    return set(folders.values()), {(folders[above], folders[below]) for above, below in arrows}


def reachable(start, arrows):
    """Everything that the arrows from `start` lead to, directly or through others."""
    found, new = set(), {start}
    while new:
        new = {below for above, below in arrows if above in new} - found
        found |= new
    return found


def layer_of(file, layers):
    """The innermost of `layers` that holds the file; None where none does."""
    return max((layer for layer in layers if file.startswith(layer + "/")), key=len, default=None)


class Tree(unittest.TestCase):
    def test_every_operation_has_its_contract_reference_test_and_page(self):
        operations = [p.name for p in (ROOT / "kernels").iterdir() if p.is_dir() and p.name not in ("common", "cuda", "emulated")]
        self.assertGreaterEqual(len(operations), 9)
        for op in operations:
            for path in (f"kernels/{op}/{op}.hpp", f"kernels/{op}/{op}_reference.cpp",
                         f"tests/kernels/{op}_test.cpp", f"docs/math/{op}.md"):
                self.assertTrue((ROOT / path).is_file(), f"missing {path}")

    def test_includes_follow_the_arrows_of_the_architecture_page(self):
        layers, arrows = drawn_layers()
        below = {layer: reachable(layer, arrows) for layer in layers}
        for layer in layers:
            self.assertNotIn(layer, below[layer], f"the arrows from {layer} lead back to it")
        included_by_nobody = set(arrows)
        for path in sources(*(f for f in source_folders() if f not in AROUND)):
            file = path.relative_to(ROOT).as_posix()
            layer = layer_of(file, layers)
            self.assertIsNotNone(layer, f"docs/architecture.md draws no folder that holds {file}")
            for included in includes(path):
                self.assertIn(layer_of(included, layers), below[layer] | {layer}, f"{file} includes {included}")
                included_by_nobody.discard((layer, layer_of(included, layers)))
        self.assertFalse(included_by_nobody, "arrows without an include")

    def test_every_header_is_guarded_and_every_file_licensed(self):
        for path in sources(*source_folders()):
            lines = path.read_text().splitlines()
            self.assertEqual(lines[0], "// SPDX-License-Identifier: MIT", path)
            if path.suffix == ".hpp":
                self.assertIn("#pragma once", lines[:3], path)

    def test_relative_links_of_the_documents_lead_somewhere(self):
        for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
            for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text()):
                if "://" not in target:
                    self.assertTrue((page.parent / target).exists(), f"{page.name}: {target}")


if __name__ == "__main__":
    unittest.main()
