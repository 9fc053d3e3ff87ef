# SPDX-License-Identifier: MIT
"""benchmarks/tune.py against results made up here."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
import tune  # noqa: E402


def row(rung, time, variant="cold", aggregate="median", **counters):
    return {
        "run_name": f"gram/{rung}/conv3_1@512/bf16/batch:1/{variant}",
        "aggregate_name": aggregate,
        "real_time": time,
        **{"tensor_cores": 0, "channels": 256, "pixels": 16384, **counters},
    }


def result(*rows):
    device = "NVIDIA Example 1, compute capability 9.0, 1 MiB"
    return {"context": {"device": device, "date": "2026-01-02T03:04"}, "benchmarks": list(rows)}


class Tune(unittest.TestCase):
    def test_the_fastest_rung_is_in_the_table(self):
        text = tune.table("D", result(row("rung_1", 5.0), row("rung_2", 9.0)))
        self.assertIn('{"D", "gram", "bf16", Arithmetic::fp32, 256, 16384, "rung_1"},', text)

    def test_the_last_is_too_for_it_may_not_be_the_one_that_ships_without_a_table(self):
        text = tune.table("D", result(row("rung_1", 9.0), row("rung_2", 5.0)))
        self.assertIn('"rung_2"}', text)

    def test_a_library_is_not_ours_to_ship(self):
        text = tune.table("D", result(row("rung_0_library", 1.0), row("rung_1", 9.0)))
        self.assertIn('"rung_1"}', text)

    def test_only_cold_medians_count_and_arithmetics_are_apart(self):
        text = tune.table(
            "D",
            result(
                row("rung_1", 5.0),
                row("rung_2", 9.0, tensor_cores=1),
                row("rung_1", 1.0, variant="hot", tensor_cores=1),
                row("rung_1", 1.0, aggregate="min", tensor_cores=1),
            ),
        )
        self.assertIn('Arithmetic::fp32, 256, 16384, "rung_1"}', text)
        self.assertIn('Arithmetic::tensor_cores, 256, 16384, "rung_2"}', text)

    def test_a_device_is_included_once_however_often_it_is_tuned(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            devices = folder / "devices.inc"
            devices.write_text("// Devices.\n// None yet: nothing.\n")
            for _ in range(2):
                path = tune.write(result(row("rung_1", 5.0), row("rung_2", 9.0)), folder)
            self.assertEqual(path.name, "nvidia-example-1.inc")
            line = '#include "kernels/common/tuning/nvidia-example-1.inc"\n'
            self.assertEqual(devices.read_text(), "// Devices.\n" + line)

    def test_other_results_are_refused(self):
        with self.assertRaises(ValueError):
            tune.write(result(row("rung_1", 1.0, variant="hot")), Path("nowhere"))


if __name__ == "__main__":
    unittest.main()
