# SPDX-License-Identifier: MIT
"""The tree keeps its promises: one stem everywhere, one direction of includes, links that lead somewhere."""

import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE_FOLDERS = ("simt", "kernels", "host", "weights", "tests", "benchmarks")

# A lower layer includes nothing of a higher one.
LAYERS = ["simt", "kernels", "host/core", "host/runtime", "host/backend", "host/model", "host/objective", "host/engine", "host/app"]


def sources(*folders):
    for folder in folders:
        for suffix in ("*.hpp", "*.cpp", "*.cu", "*.cuh"):
            yield from sorted((ROOT / folder).rglob(suffix))


def includes(path):
    return re.findall(r'^#include "([^"]+)"', path.read_text(), re.MULTILINE)


class Tree(unittest.TestCase):
    def test_every_operation_has_its_contract_reference_test_and_page(self):
        operations = [p.name for p in (ROOT / "kernels").iterdir() if p.is_dir() and p.name not in ("common", "cuda", "emulated")]
        self.assertGreaterEqual(len(operations), 9)
        for op in operations:
            for path in (f"kernels/{op}/{op}.hpp", f"kernels/{op}/{op}_reference.cpp",
                         f"tests/kernels/{op}_test.cpp", f"docs/math/{op}.md"):
                self.assertTrue((ROOT / path).is_file(), f"missing {path}")

    def test_includes_point_downwards(self):
        for i, layer in enumerate(LAYERS):
            for path in sources(layer):
                for included in includes(path):
                    above = [upper for upper in LAYERS[i + 1:] if included.startswith(upper + "/")]
                    self.assertFalse(above, f"{path.relative_to(ROOT)} includes {included}")

    def test_every_header_is_guarded_and_every_file_licensed(self):
        for path in sources(*SOURCE_FOLDERS):
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
