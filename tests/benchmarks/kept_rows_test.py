# SPDX-License-Identifier: MIT
"""What our own programs measure beside PyTorch is kept row by row, and nothing where one of them fails."""

import argparse
import json
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

import cpu_vs_pytorch  # noqa: E402
from context import keep  # noqa: E402

PROGRAM = """#!/bin/sh
echo "$@" >> "$0.calls"
cat <<'END'
{"context": {"executable": "/somewhere/bin/op_bench", "host_name": "a host", "commit": "0123"},
 "benchmarks": [
  {"name": "a", "run_name": "a", "run_type": "iteration", "real_time": 2.5, "time_unit": "ms", "verified": 1},
  {"name": "a_mean", "run_name": "a", "run_type": "aggregate", "real_time": 2.5, "time_unit": "ms"}]}
END
"""


class KeptRows(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        for name in ("iteration_bench", "op_bench", "ceilings_bench"):
            self.program(name, PROGRAM)

    def program(self, name, text):
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o755)

    def measure(self):
        """Two rounds."""
        arguments = argparse.Namespace(impasto=str(self.folder / "impasto"), size=48, sizes="64,32", batches="2,8", threads=3)
        kept = {}
        for _ in range(2):
            cpu_vs_pytorch.add_own_rows(kept, arguments)
        return kept

    def test_each_repetition_is_a_line_and_aggregates_are_left_out(self):
        for name, document in self.measure().items():
            path = self.folder / "out" / f"{name}.json"
            keep(path, **document)
            text = path.read_text()
            rows = 2 * (3 if name == "iteration_bench" else 1)
            document = json.loads(text)
            self.assertEqual([row["name"] for row in document["benchmarks"]], ["a"] * rows)
            self.assertEqual(text.count('\n  {"name"'), rows)
            self.assertEqual(document["context"]["commit"], "0123")
            self.assertNotIn("host_name", document["context"])

    def test_batches_are_of_the_smallest_size(self):
        self.measure()
        steps, sizes, batches = (self.folder / "iteration_bench.calls").read_text().splitlines()[:3]
        self.assertIn("--size=48", steps)
        self.assertIn("--size=64,32", sizes)
        self.assertNotIn("--batch", sizes)
        self.assertIn("--size=32 --batch=2,8", batches)

    def test_a_program_that_fails_is_an_error_that_says_what_it_said(self):
        self.program("iteration_bench", "#!/bin/sh\necho 'no such layer' >&2\nexit 2\n")
        with self.assertRaisesRegex(RuntimeError, "no such layer"):
            self.measure()


if __name__ == "__main__":
    unittest.main()
