# SPDX-License-Identifier: MIT
"""cpu_operations.py keeps what the programs measured, and nothing where one of them fails."""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "cpu_operations.py"
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
        self.program("iteration_bench", PROGRAM)
        self.program("op_bench", PROGRAM)

    def program(self, name, text):
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o755)

    def run_script(self):
        command = [sys.executable, "-B", SCRIPT, "--programs", self.folder, "--output"]
        command += [self.folder / "out", "--sizes", "64,32", "--batches", "2,8"]
        return subprocess.run(command, capture_output=True, text=True)

    def test_each_repetition_is_a_line_and_aggregates_are_left_out(self):
        done = self.run_script()
        self.assertEqual(done.returncode, 0, done.stderr)
        for name, rows in (("iteration_bench.json", 2), ("op_bench.json", 1)):
            text = (self.folder / "out" / name).read_text()
            document = json.loads(text)
            self.assertEqual([row["name"] for row in document["benchmarks"]], ["a"] * rows)
            self.assertEqual(text.count('\n  {"name"'), rows)
            self.assertEqual(document["context"]["commit"], "0123")
            self.assertNotIn("host_name", document["context"])

    def test_batches_are_of_the_smallest_size(self):
        self.run_script()
        sizes, batches = (self.folder / "iteration_bench.calls").read_text().splitlines()
        self.assertIn("--size=64,32", sizes)
        self.assertNotIn("--batch", sizes)
        self.assertIn("--size=32 --batch=2,8", batches)

    def test_a_program_that_fails_leaves_no_file(self):
        self.program("iteration_bench", "#!/bin/sh\necho 'no such layer' >&2\nexit 2\n")
        done = self.run_script()
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("no such layer", done.stderr)
        self.assertFalse((self.folder / "out").exists())


if __name__ == "__main__":
    unittest.main()
