# SPDX-License-Identifier: MIT
"""kernels/tune.py against results made up here."""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "kernels"))
import tune  # noqa: E402
from results import Machine, read_rows  # noqa: E402


def rows(*measured):
    """Rows of cuda_bench: rung, times of its repetitions, and what differs."""
    entries = []
    for rung, times, changes in measured:
        changes = {"cache": "cold", "tensor_cores": 0, **changes}
        name = f"gram/{rung}/conv3_1@512/bf16/batch:1/{changes.pop('cache')}"
        common = {"name": name, "time_unit": "us", "channels": 256, "pixels": 16384, "verified": 1, **changes}
        entries += [{**common, "run_type": "iteration", "real_time": time} for time in times]
        entries.append({**common, "run_type": "aggregate", "aggregate_name": "min", "real_time": 1e-3})
    machine = Machine(Path("a-gpu"))
    read_rows(machine, Path("ladder_gram.json"), entries)
    return machine.rows


def table(*measured):
    return tune.table("D", "2026-01-02", rows(*measured))


class Tune(unittest.TestCase):
    HOT = {"name": "gram/rung_1_a/conv3_1@512/bf16/batch:1/hot", "real_time": 1.0, "time_unit": "us", "verified": 1}

    def test_the_rung_with_the_smallest_median_is_in_the_table(self):
        text = table(("rung_1_a", [5.0, 6.0, 5.5], {}), ("rung_2_b", [9.0, 1.0, 9.5], {}))
        self.assertIn('{"D", "gram", "bf16", Arithmetic::fp32, 256, 16384, "rung_1_a"},', text)

    def test_the_last_is_too_for_it_may_not_be_the_one_that_ships_without_a_table(self):
        self.assertIn('"rung_2_b"}', table(("rung_1_a", [9.0], {}), ("rung_2_b", [5.0], {})))

    def test_a_library_is_not_ours_to_ship(self):
        self.assertIn('"rung_1_a"}', table(("rung_0_library", [1.0], {}), ("rung_1_a", [9.0], {})))

    def test_only_cold_repetitions_count_and_arithmetics_are_apart(self):
        text = table(
            ("rung_1_a", [5.0], {}),
            ("rung_2_b", [9.0], {"tensor_cores": 1}),
            ("rung_1_a", [1.0], {"cache": "hot", "tensor_cores": 1}),
        )
        self.assertIn('Arithmetic::fp32, 256, 16384, "rung_1_a"}', text)
        self.assertIn('Arithmetic::tensor_cores, 256, 16384, "rung_2_b"}', text)

    def test_files_that_cuda_bench_did_not_write_are_refused(self):
        with tempfile.TemporaryDirectory() as name:
            path = Path(name) / "ladder_gram.json"
            about = {"device": "NVIDIA Example 1, compute capability 9.0", "date": "2026-01-02T03:04"}
            for text, says in (
                ("[", "expected JSON"),
                (json.dumps({"context": about, "benchmarks": [], "rehearsal": True}), "rehearsal"),
                (json.dumps({"context": about, "benchmarks": []}), "cuda_bench"),
                (json.dumps({"context": about, "benchmarks": [self.HOT]}), "cuda_bench"),
            ):
                path.write_text(text)
                done = subprocess.run([sys.executable, "-B", tune.__file__, path], capture_output=True, text=True)
                self.assertEqual(done.returncode, 1)
                self.assertIn(str(path), done.stderr)
                self.assertIn(says, done.stderr)

    def test_a_device_is_included_once_however_often_it_is_tuned(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            devices = folder / "devices.inc"
            devices.write_text("// Devices.\n// None yet: nothing.\n")
            for _ in range(2):
                measured = rows(("rung_1_a", [5.0], {}), ("rung_2_b", [9.0], {}))
                path = tune.write("NVIDIA Example 1", "2026-01-02", measured, folder)
            self.assertEqual(path.name, "nvidia-example-1.inc")
            line = '#include "kernels/common/tuning/nvidia-example-1.inc"\n'
            self.assertEqual(devices.read_text(), "// Devices.\n" + line)


if __name__ == "__main__":
    unittest.main()
