# SPDX-License-Identifier: MIT
"""What decides whether losses agree, and what writes measurements into pages."""

import math
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

import context  # noqa: E402
import render  # noqa: E402
from peers.agreement import differences, judge  # noqa: E402
from peers.runs import Contender, Run  # noqa: E402
from results import Machine, Roofs, read_rows  # noqa: E402


def record(iteration, loss, layer=3.0, seconds=0.0):
    return {
        "iteration": iteration,
        "loss": loss,
        "content": 1.0,
        "style": 2.0,
        "content_layers": {"conv4_2": 1.0},
        "style_layers": {"conv1_1": layer},
        "seconds": seconds,
    }


def run(*records):
    return Run(about={}, records=list(records), end={"peak_memory_bytes": 0})


class Agreement(unittest.TestCase):
    def agree(self, ours, theirs, precision="fp32"):
        return judge(ours, theirs, precision)[0]

    def test_equal_runs_agree_exactly(self):
        agree, differences, _ = judge([record(0, 5.0)], [record(0, 5.0)], "fp32")
        self.assertTrue(agree)
        self.assertEqual(set(differences.values()), {0.0})

    def test_the_largest_difference_is_found_and_named(self):
        ours = [record(0, 5.0), record(1, 5.0, layer=2.0)]
        theirs = [record(0, 5.0), record(1, 5.0, layer=4.0)]
        found = differences(ours, theirs)["terms of all pictures"]
        self.assertEqual(found.value, 0.5)
        self.assertEqual(found.where, "style_layers.conv1_1, picture 1")

    def test_a_difference_beyond_the_limit_is_noticed(self):
        self.assertFalse(self.agree([record(0, 5.0)], [record(0, 5.001)]))
        later = [record(0, 5.0), record(1, 5.0)]
        self.assertFalse(self.agree(later, [record(0, 5.0), record(1, 5.01)]))
        self.assertFalse(self.agree(later, [record(0, 5.0), record(1, 5.00001)], "fp64"))

    def test_a_nan_is_a_difference_wherever_it_is(self):
        for ours, theirs in ((math.nan, 5.0), (5.0, math.nan), (math.nan, math.nan)):
            self.assertFalse(self.agree([record(0, ours)], [record(0, theirs)]))

    def test_runs_that_cannot_be_compared_are_refused(self):
        other_terms = record(0, 5.0)
        del other_terms["style_layers"]["conv1_1"]
        for ours, theirs in (
            ([], []),
            ([record(0, 5.0)], []),
            ([record(0, 5.0)], [other_terms]),
        ):
            with self.assertRaises(RuntimeError):
                judge(ours, theirs, "fp32")


class Contenders(unittest.TestCase):
    def test_a_contender_says_what_it_agreed_in_and_the_median_of_its_times(self):
        contender = Contender("PyTorch", "eager", "fp32")
        self.assertFalse(contender.compare(run(record(0, 5.0)), run(record(0, 6.0))))
        self.assertNotIn("seconds_per_iteration", contender.result())
        self.assertTrue(contender.compare(run(record(0, 5.0)), run(record(0, 5.0))))
        contender.seconds += [3.0, 1.0, 2.0]
        result = contender.result()
        self.assertEqual(result["differences"], {"terms of the first picture": 0.0, "loss of all pictures": 0.0})
        self.assertEqual((result["form"], result["seconds_per_iteration"]), ("eager", 2.0))


class Render(unittest.TestCase):
    PAGE = "before\n<!-- benchmark:ceilings -->\nold\n<!-- /benchmark -->\nafter\n"
    ABOUT = {"device": "A CPU, 2 threads", "cpu": {"hypervisor": True}, "commit": "0123456789abcdef",
             "dirty": False, "date": "2026-01-01"}  # fmt: skip
    MACHINE = Machine(
        Path("a-cpu"),
        contexts={"environment.json": ABOUT},
        roofs=Roofs({"fma/512/1": 2e11, "fma/512/2": 4e11}, {"copy/1": 1e10, "copy/2": 1.5e10}),
    )

    def test_what_stands_between_the_markers_is_replaced(self):
        page = render.rendered(self.PAGE, [self.MACHINE])
        self.assertTrue(page.startswith("before\n<!-- benchmark:ceilings -->\n"))
        self.assertTrue(page.endswith("<!-- /benchmark -->\nafter\n"))
        self.assertNotIn("old", page)
        self.assertIn("| multiply-adds, AVX-512, GFLOP/s | 200 | 400 |", page)
        self.assertIn("| copying, GB/s | 10 | 15 |", page)
        self.assertIn("\nA CPU, 2 threads, virtual machine; commit 0123456789, 2026-01-01.\n", page)

    def test_iterations_are_divided_by_their_batch_and_sorted_by_it(self):
        rows = [
            {"name": f"iteration/{precision}/{size}/batch:{batch}", "real_time": time,
             "time_unit": "ms"}
            for precision, size, batch, time in (
                ("fp32", 128, 4, 400.0), ("fp32", 256, 1, 300.0), ("fp32", 256, 1, 500.0),
                ("fp32", 256, 1, 320.0), ("fp32", 128, 1, 111.0), ("bf16", 128, 1, 60.0),
                ("bf16", 128, 4, 200.0), ("bf16", 256, 1, 170.0))
        ]  # fmt: skip
        machine = Machine(Path("a-cpu"))
        read_rows(machine, Path("iteration_bench.json"), [{**row, "verified": 1} for row in rows])
        lines = render.iteration_scaling(machine).splitlines()
        self.assertEqual(lines[0], "|  | fp32 ms per picture | bf16 ms per picture |")
        self.assertEqual(lines[2:], ["| 128² | 111 | 60 |", "| 256² | 320 | 170 |", "| 128², batch 4 | 100 | 50 |"])

    def test_rendering_again_changes_nothing(self):
        page = render.rendered(self.PAGE, [self.MACHINE])
        self.assertEqual(render.rendered(page, [self.MACHINE]), page)

    def test_the_pages_show_the_results_that_are_kept(self):
        self.assertEqual(render.stale_pages(), [], "run benchmarks/render.py")


class Slug(unittest.TestCase):
    def test_a_processor_s_name_becomes_a_folder_s(self):
        self.assertEqual(context.slug("Intel(R) Xeon(R) Processor"), "intel-xeon-processor")
        self.assertEqual(context.slug("AMD EPYC 9654 96-Core"), "amd-epyc-9654-96-core")


if __name__ == "__main__":
    unittest.main()
