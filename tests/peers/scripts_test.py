# SPDX-License-Identifier: MIT
"""What decides whether losses agree, and what writes measurements into pages."""

import math
import re
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

import context  # noqa: E402
import prediction  # noqa: E402
import render  # noqa: E402
import strips_model  # noqa: E402
from peers.agreement import differences, judge  # noqa: E402
from peers.runs import Contender, Run  # noqa: E402
from results import Machine, Roofs, read_machine, read_rows  # noqa: E402


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


class Story(unittest.TestCase):
    """docs/gram_ladder.md against the counts that are kept."""

    COUNTS = {
        "shared requests": lambda row: f"{row.counters['shared_requests']:.0f}",
        "bank conflicts": lambda row: f"{row.counters['bank_conflicts']:.0f}",
        "barriers": lambda row: f"{row.counters['barriers']:.0f}",
        "sectors per request": lambda row: f"{row.counters['sectors_per_request']:.1f}",
        "bytes asked for": lambda row: f"{row.traffic:.2f}",
    }

    def test_every_count_is_the_kept_one_and_every_rung_is_told(self):
        machine = read_machine(context.REPOSITORY / "benchmarks" / "results" / "simt")
        rungs = {row.parts.number: row for row in machine.rows if row.name.startswith("gram/")
                 and row.parts.layer == "16x16x64" and row.parts.precision == "bf16"}  # fmt: skip
        page = (context.REPOSITORY / "docs" / "gram_ladder.md").read_text(encoding="utf-8")
        told = re.findall(r"^### (\d+) (.*?)$(.*?)(?=^##)", page, re.MULTILINE | re.DOTALL)
        self.assertEqual([(int(number), name) for number, name, _ in told],
                         [(number, rungs[number].parts.rung.split(" ", 1)[1]) for number in sorted(rungs)])  # fmt: skip
        compared = 0
        for number, _, text in told:
            for what, before, after in re.findall(r"([a-z][a-z ]+) ([\d.]*\d) → ([\d.]*\d)", text):
                show, rung = self.COUNTS[what.strip()], int(number)
                self.assertEqual((before, after), (show(rungs[rung - 1]), show(rungs[rung])), f"rung {rung}: {what}")
                compared += 1
        self.assertGreater(compared, 10)


class Predictions(unittest.TestCase):
    """The model of benchmarks/prediction.py on launches made up here."""

    def first(self, kernel, blocks, threads, shared=0, channels=64, **counts):
        row = {"name": "gram/rung/layer/bf16/batch:1", "channels": channels, "pixels": 262144, "l1_passes_per_pixel": 0.5,
               "bytes_per_pixel": 2 * channels, "shared_passes_per_pixel": 1, **counts}  # fmt: skip
        launch = {"kernel": kernel, "blocks": blocks, "threads": threads, "shared_bytes": shared}
        return prediction.first_launch(prediction.H100, row, launch)

    def test_a_rung_that_does_not_fill_the_gpu_is_not_predicted_to_win(self):
        alone, many = self.first("gram_pipeline", 1, 128, 24576), self.first("gram_pipeline", 264, 128, 24576)
        self.assertGreater(alone.seconds, 50 * many.seconds)
        self.assertIn("1% of the SMs", alone.bound)
        self.assertAlmostEqual(many.seconds, 1.5e-6 + 64 * 262144 * 2 / 3.35e12)
        self.assertEqual(many.bound, "memory")

    def test_shared_memory_limits_the_blocks_of_an_sm_and_so_the_waves(self):
        self.assertEqual(self.first("gram_wgmma", 132, 288, 100 << 10, channels=128).blocks_per_sm, 2)
        launch = self.first("gram_wgmma", 396, 288, 200 << 10, channels=128)
        self.assertEqual((launch.blocks_per_sm, launch.waves, launch.at_work), (1, 3, 1))

    def test_a_last_wave_that_is_nearly_empty_costs_a_whole_one(self):
        launch = self.first("gram_wgmma", 133, 288, 200 << 10, channels=128)
        self.assertAlmostEqual(launch.at_work, 133 / 264)

    def test_too_few_bytes_under_way_leave_memory_idle(self):
        # Half of what an H100 needs: 3.35 TB/s for 0.7 us are 17.8 KB an SM.
        few = self.first("gram_pipeline", 132, 128, 24576 * 9 // 20)
        self.assertLess(few.under_way, 9400)
        self.assertGreater(few.seconds, 1.7 * self.first("gram_pipeline", 264, 128, 24576).seconds)

    def test_one_block_that_loads_and_multiplies_in_turns_does_not_overlap_them(self):
        turns = self.first("gram_tensor_cores", 132, 256, 16384, channels=128)
        self.assertEqual(turns.bound, "loads and products in turns")

    def test_pipelines_have_the_stages_of_their_kernels(self):
        for file, stages, kernel in (("rung_11_pipeline.cuh", "gram_stages", "gram_pipeline"),
                                     ("rung_13_wgmma.cuh", "gram_wgmma_stages", "gram_wgmma")):  # fmt: skip
            source = (context.REPOSITORY / "kernels" / "gram" / file).read_text(encoding="utf-8")
            small, large = map(int, re.search(rf"{stages} = tile == 64 \? (\d+) : (\d+);", source).groups())
            self.assertEqual((small, large), (prediction.STAGES_OF_SMALL_TILE, prediction.KERNELS[kernel].slices))

    def test_another_card_with_the_same_chip_is_another_gpu(self):
        for device, name in (("NVIDIA H100 80GB HBM3, compute capability 9.0, 81089 MiB", "H100 SXM5"),
                             ("NVIDIA H200", "H200 SXM5"), ("NVIDIA H100 PCIe", None), ("NVIDIA H100 NVL", None),
                             ("NVIDIA H200 NVL", None), ("NVIDIA GH200 480GB", None)):  # fmt: skip
            found = prediction.gpu_of(device)
            self.assertEqual(found.name if found else None, name, device)

    def test_every_kept_rung_is_predicted_and_the_ladder_gets_better(self):
        found = prediction.predict(prediction.H100)
        self.assertEqual({one.split("/")[2] for one in found}, {f"conv{block}_1@512" for block in range(1, 6)})
        seconds = [found[name].seconds for name in found if "conv1_1@512/bf16" in name]
        self.assertEqual(min(seconds), seconds[-1])
        self.assertGreater(seconds[4], 20 * seconds[5])  # the triangle's one block, and its splits


class Strips(unittest.TestCase):
    """What several GPUs gain at one picture, by the model."""

    def test_rows_are_handed_over_where_the_program_does_it(self):
        # As in tests/host/engine/strips_test.cpp.
        self.assertEqual([layer.name for layer in strips_model.handovers(strips_model.COURSERA)],
                         ["conv3_2", "conv4_1", "conv4_3", "pool4"])

    def test_more_gpus_gain_less_each_and_a_faster_link_and_a_larger_picture_more(self):
        task, fast, slow = strips_model.COURSERA, strips_model.NVLINK, strips_model.PCIE
        of = [strips_model.efficiency(task, 4096, gpus, fast) for gpus in (1, 2, 4, 8)]
        self.assertEqual(of[0], 1)
        self.assertEqual(of, sorted(of, reverse=True))
        self.assertGreater(of[3], strips_model.efficiency(task, 4096, 8, slow))
        self.assertGreater(strips_model.efficiency(task, 8192, 8, fast), of[3])

    def test_a_strip_with_its_halo_is_what_the_convolutions_take(self):
        task = strips_model.COURSERA
        whole = strips_model.iteration(task, 2048, 1, strips_model.NVLINK).parts["convolutions"]
        part = strips_model.iteration(task, 2048, 8, strips_model.NVLINK).parts["convolutions"]
        self.assertAlmostEqual(part / whole, (256 + 2 * 16) / 2048)


if __name__ == "__main__":
    unittest.main()
