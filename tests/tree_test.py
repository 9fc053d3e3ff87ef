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
    arrows = re.findall(r'(\w+)(?:\[[^\]]*\])? --> (.*)', picture)
    return set(folders.values()), {(folders[above], folders[below])
                                   for above, targets in arrows for below in targets.split(" & ")}


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


def pages():
    return [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "simt/README.md"]


def without_code(page):
    """The page's text without its blocks of code."""
    return re.sub(r"(?ms)^ *```.*?^ *```", "", page.read_text())


def headings(page):
    """The anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"(?m)^#+ (.*)$", without_code(page))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


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

    def test_no_file_needs_views(self):
        # Clang before 16 does not compile those of GCC 12's library.
        for path in sources(*source_folders()):
            self.assertNotRegex(path.read_text(), r"#include <ranges>|\bviews::", path)

    def test_links_of_the_documents_lead_somewhere(self):
        for page in pages():
            for path, anchor in re.findall(r"\]\(([^)#\s]*)#?([^)\s]*)\)", page.read_text()):
                if "://" in path:
                    continue
                target = page.parent / path if path else page
                self.assertTrue(target.exists(), f"{page.name}: {path}")
                if anchor and target.suffix == ".md":
                    self.assertIn(anchor, headings(target), f"{page.name}: {path}#{anchor}")

    def test_files_that_the_documents_name_are_there(self):
        top = {path.name for path in ROOT.iterdir()} - {"build"}
        named = 0
        for page in pages():
            for name in re.findall(r"`([\w.-]+/[\w./-]*)`", without_code(page)):
                # The one file that a page tells its readers to write.
                if name.split("/")[0] in top and name != "kernels/gram/rung_14_four_rows.cuh":
                    named += 1
                    self.assertTrue((ROOT / name).exists(), f"{page.name}: {name}")
        self.assertGreater(named, 50)

    def test_commands_of_dev_that_the_documents_name_are_there(self):
        known = set(re.findall(r"(?m)^  ([a-z]+)\) ", (ROOT / "dev").read_text()))
        for page in pages():
            for command in re.findall(r"\./dev ([a-z]+)", page.read_text()):
                self.assertIn(command, known, page.name)


if __name__ == "__main__":
    unittest.main()
