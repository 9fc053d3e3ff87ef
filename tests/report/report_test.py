# SPDX-License-Identifier: MIT
"""The report shows what the files say, refuses what it must, and needs nothing but itself."""

import io
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import inputs
import render
import report
from browser import complaints, find_browser
from prediction import H100, predict
from results import PRECISIONS, Machine, Roofs, Row, by_kind, parse


def python_with_matplotlib():
    for python in (sys.executable, "/usr/bin/python3"):
        if Path(python).exists() and subprocess.run([python, "-c", "import matplotlib"], capture_output=True).returncode == 0:
            return python
    return None


DRAWING = python_with_matplotlib()


class Pages(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.output = self.folder / "report.html"

    def run_report(self, *options, through=()):
        """In this process, where matplotlib is read once; `through` another program in one of its own."""
        arguments = [str(inputs.ROOT / "benchmarks" / "report.py"), *map(str, options), "-o", str(self.output)]
        if through:
            return subprocess.run([*through, sys.executable, "-B", *arguments], capture_output=True, text=True)
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err), mock.patch.object(sys, "argv", arguments):
            try:
                code = report.main()
            except SystemExit as ended:
                code = ended.code
        return SimpleNamespace(returncode=code, stdout=out.getvalue(), stderr=err.getvalue())

    def page(self, *folders):
        done = self.run_report(*folders)
        self.assertEqual(done.returncode, 0, done.stderr)
        return self.output.read_text(encoding="utf-8")

    def refusal(self, *folders, code=8):
        """The message of a report that was not written."""
        done = self.run_report(*folders)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertFalse(self.output.exists())
        self.assertNotIn("Traceback", done.stderr)
        return done.stderr

    def assert_shows(self, page, *texts):
        """Without printing the whole page when it does not."""
        missing = [text for text in texts if text not in page]
        self.assertEqual(missing, [])

    def assert_matches(self, page, pattern):
        self.assertIsNotNone(re.search(pattern, page), pattern)

    def assert_lacks(self, page, *patterns):
        self.assertEqual([one for one in patterns if re.search(one, page)], [])


@unittest.skipIf(DRAWING is None, "no Python here has matplotlib (python3-matplotlib)")
class Shown(Pages):
    def test_the_page_and_every_drawing_are_well_formed_and_ask_for_nothing(self):
        inputs.write_machine(self.folder / "machine")
        inputs.write(self.folder / "peers" / "cpu_vs_pytorch.json", inputs.peers())
        page = self.page(self.folder / "machine", self.folder / "peers")
        ElementTree.fromstring(page)
        drawings = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
        self.assertGreater(len(drawings), 5)
        for drawing in drawings:
            ElementTree.fromstring(drawing)
        self.assertEqual(
            set(re.findall(r"https?://[^\"'\s<]+", page)),
            {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"},
        )
        self.assert_lacks(page, r"<script", r"<link", r"<img", r"@import", r"\bsrc=", r"href=\"[^#]")
        self.assert_lacks(page, r"\bnan\b", r"\binf\b", r"\bNone\b")
        names = re.findall(r'\bid="([^"]+)"', page)
        self.assertEqual(len(names), len(set(names)))

    def test_a_browser_opens_the_page_without_a_word_on_its_console(self):
        browser = find_browser()
        if browser is None:
            self.skipTest("no headless browser here (chromium-headless-shell)")
        bad = self.folder / "bad.html"
        bad.write_text("<svg></svg><script>console.error('planted')</script>", encoding="utf-8")
        self.assertTrue(any("planted" in one for one in complaints(browser, bad)))
        inputs.write_machine(self.folder / "machine")
        self.page(self.folder / "machine")
        self.assertEqual(complaints(browser, self.output), [])

    def test_planted_figures_stand_in_the_page(self):
        inputs.write(self.folder / "peers" / "cpu_vs_pytorch.json", inputs.peers())
        page = self.page(self.folder / "peers")
        self.assert_shows(page, "372 ms, 0.50×", "744 ms, 1.00×", "31.0 ms", "1.10 ms", "1.00 TFLOP/s",
                          "100 GB/s", "A processor", "0123456789")  # fmt: skip
        other = inputs.peers(size=512)
        other["contenders"][0]["seconds_per_iteration"] = 0.1234
        inputs.write(self.folder / "peers" / "cpu_vs_pytorch.json", other)
        page = self.page(self.folder / "peers")
        self.assert_shows(page, "123 ms")
        self.assert_lacks(page, "372 ms")

    def test_shares_of_the_roof_are_what_one_works_out_by_hand(self):
        inputs.write_machine(self.folder / "machine")
        page = self.page(self.folder / "machine")
        # 1e8 bytes at 100 GB/s take 1 ms; the rungs need 4 and 2, their medians 2 % more.
        self.assert_shows(page, "4.08 ms")
        cells = ("gram/rung_2_tiled/conv1_1@512/fp32/batch:1", "2.04 ms", "2.00 ms", "1.6 %",
        "49.0",
                 "0.25", "5.00", "49", "3e-07")  # fmt: skip
        self.assert_shows(page, "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")

    def test_operations_without_ceilings_say_what_is_missing(self):
        inputs.write_machine(self.folder / "machine")
        self.assert_lacks(self.page(self.folder / "machine"), "there is no roof")
        (self.folder / "machine" / "ceilings_bench.json").unlink()
        page = self.page(self.folder / "machine")
        self.assert_shows(page, "Nothing yet: there is no roof, since ceilings_bench")
        self.assert_lacks(page, "Operations in fp32")

    def test_the_recipe_of_the_page_measures_the_roof(self):
        recipe = (inputs.ROOT / "docs" / "measuring.md").read_text(encoding="utf-8")
        written = re.findall(r"bin/(\w+)[^`]*?results/my-machine/(\w+)\.json", recipe)
        self.assertEqual(written, [("ceilings_bench", "ceilings_bench"), ("op_bench", "op_bench")])

    def test_counts_stand_beside_what_has_to_move(self):
        inputs.write_machine(self.folder / "machine")
        self.assert_shows(self.page(self.folder / "machine"), ">2.00×<", "The ladder of gram")

    def test_a_page_that_cannot_be_finished_leaves_the_one_that_is_there(self):
        inputs.write_machine(self.folder / "machine")
        self.output = self.folder / "place" / "report.html"
        before = self.page(self.folder / "machine")
        limited = ["prlimit", "--fsize=20000"]
        done = self.run_report(self.folder / "machine", through=limited)
        self.assertEqual(done.returncode, 6, done.stderr)
        self.assertEqual(self.output.read_text(encoding="utf-8"), before)
        self.assertEqual([one.name for one in self.output.parent.iterdir()], ["report.html"])

    def test_ceilings_that_the_program_itself_measured_are_the_roof(self):
        rows = inputs.operation("gram/rung_1_naive/conv1_1@512/bf16/cold", [4e-3], 1e8, 2e8)
        roof = {"ceiling_copy_bytes_per_second": "1e+11", "ceiling_bf16_flops": "3.21e+12",
                "ceiling_tf32_flops": "0"}  # fmt: skip
        inputs.write_benchmarks(self.folder / "machine" / "ladder.json", rows, **roof)
        page = self.page(self.folder / "machine")
        self.assert_shows(page, "3.21 TFLOP/s", "100 GB/s", "<td>50</td>")
        self.assert_lacks(page, "ceiling_")

    def test_steps_of_one_kind_are_added(self):
        steps = {"conv1_1 Gram matrix": (0.25, "gram_loss"), "conv1_1 style loss": (0.01, "gram_loss")}
        inputs.write(self.folder / "old" / "cpu_vs_pytorch.json", inputs.peers(steps=steps))
        page = self.page(self.folder / "old")
        self.assert_shows(page, "Gram matrices, style loss", ">260 ms, 100 %<")

    def test_an_iteration_stands_beside_its_floor(self):
        inputs.write_machine(self.folder / "machine")
        page = self.page(self.folder / "machine")
        floor = sum(
            max(flops / inputs.PEAK, moved / inputs.BANDWIDTH) for flops, moved in inputs.STEPS.values()
        )
        self.assert_shows(
            page, f"fp32, 512×512: {report.time(2 * floor)}, floor {report.time(floor)}"
        )

    def test_no_tick_strikes_through_a_label(self):
        rows = inputs.ceilings()
        operations = ("conv_forward", "conv_data_gradient", "pool_forward", "gram_loss", "style_backward", "adam")
        for share, operation in zip((0.6, 0.7, 0.8, 0.9, 0.97, 1.3), operations):
            rows += inputs.operation(f"step/bf16/512/batch:1/{operation}", [share * 1e-3], inputs.PEAK * 1e-3, 1, label=operation)
        inputs.write_benchmarks(self.folder / "machine" / "iteration.json", rows)
        page = self.page(self.folder / "machine")
        self.assert_shows(page, "Faster than its floor is")
        drawing = re.search("bf16, 512×512.*?</svg>", page, re.DOTALL).group()
        labels = re.findall(r'text-anchor: start" x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]+ %)<', drawing)
        ticks = re.findall(r'd="M ([\d.]+) ([\d.]+) \nL [\d.]+ ([\d.]+) \n"[^>]*stroke-width: 1.5', drawing)
        self.assertEqual((len(labels), len(ticks)), (6, 6))
        for x, y, text in labels:
            for at, top, bottom in ticks:
                if float(top) < float(y) < float(bottom):
                    self.assertFalse(float(x) - 2 < float(at) < float(x) + 4 * len(text), text)

    def test_a_part_without_figures_says_what_fills_it_and_is_not_in_the_table_of_contents(self):
        inputs.write(self.folder / "peers" / "cpu_vs_pytorch.json", inputs.peers())
        page = self.page(self.folder / "peers")
        self.assert_shows(page, "Nothing yet: what op_bench and cuda_bench measure stands here, row by row.")
        listed = re.search("<nav>.*</nav>", page).group()
        self.assert_shows(listed, ">Beside its peers<", ">Where the figures come from<")
        self.assert_lacks(listed, "Every row", "Larger pictures")
        for link in re.findall(r'href="#([^"]+)"', listed):
            self.assert_shows(page, f' id="{link}"')

    def test_no_caption_is_repeated_in_a_part(self):
        inputs.write_machine(self.folder / "machine")
        for part in re.split("<h[23]", self.page(self.folder / "machine")):
            captions = re.findall("<figcaption>(.*?)</figcaption>|</svg><p>(.*?)</p>", part)
            said = [one for pair in captions for one in pair if one]
            self.assertEqual(len(said), len(set(said)), said)

    def test_every_precision_of_an_iteration_is_drawn(self):
        for precision in PRECISIONS:
            rows = [row for size in (128, 256) for row in inputs.operation(f"iteration/{precision}/{size}/batch:1", [0.1], 1e9, 1e8)]
            rows += inputs.operation(f"step/{precision}/256/batch:1/Adam", [0.1], 1e6, 1e6, label="adam")
            inputs.write_benchmarks(self.folder / "machine" / f"{precision}.json", rows)
        self.assert_shows(self.page(self.folder / "machine"), *(f"{precision}, 256×256" for precision in PRECISIONS))

    def test_a_gpu_run_is_drawn(self):
        inputs.write_gpu_run(self.folder / "gpu")
        page = self.page(self.folder / "gpu")
        ElementTree.fromstring(page)
        self.assert_shows(page, "NVIDIA Nothing", "driver 570.1", "multiprocessors MHz 1500–1980",
                          "2.00 ms, 0.29×", "7.00 ms, 1.00×", "PyTorch, tuned eager, autocast",
                          "9.00 ms, 1.29×", "PyTorch, eager, tf32", "bf16, 512×512: 3.75 ms",
                          "<td>bf16 products on tensor cores</td>", "1.00 TFLOP/s", "100 GB/s")  # fmt: skip
        self.assert_lacks(page, "No GPU has been measured", "compiled", "winograd")

    def test_a_gpu_run_counts_only_where_its_tests_passed(self):
        inputs.write_gpu_run(self.folder / "gpu")
        for tests in (
            inputs.stage("tests", failures=["a kernel is wrong"]),
            inputs.stage("tests", context={**inputs.stage("")["context"], "commit": "another"}),
            inputs.stage("tests", skipped="no program"),
        ):
            inputs.write(self.folder / "gpu" / "tests.json", tests)
            page = self.page(self.folder / "gpu")
            self.assert_lacks(page, r"3\.75 ms")
            self.assert_shows(page, "Not shown: iteration.json: the tests of the same commit")

    def test_names_of_files_and_devices_are_text_and_no_markup(self):
        document = inputs.peers()
        document["context"]["cpu"]["name"] = '<b>&amp; "evil"</b><script>'
        inputs.write(self.folder / "peers" / "cpu_vs_pytorch.json", document)
        page = self.page(self.folder / "peers")
        ElementTree.fromstring(page)
        self.assert_lacks(page, "<script>")

    def test_the_kept_results_can_be_drawn(self):
        ElementTree.fromstring(self.page())


class Refused(Pages):
    def test_rows_that_nobody_checked_are_left_out_and_named(self):
        inputs.write_machine(self.folder / "machine")
        rows = inputs.entries("pool/fp32/conv1_2/256", [0.0777], flops=1e6, bytes=1e6)
        inputs.write_benchmarks(self.folder / "machine" / "old.json", rows)
        page = self.page(self.folder / "machine")
        self.assert_lacks(page, r"77\.7")
        self.assert_matches(
            page, r"Not shown: old\.json: 1 of 1 rows have no counter .*verified.*\(pool\)"
        )

    def test_a_figure_above_its_roof_is_an_error(self):
        inputs.write_machine(self.folder / "machine")
        rows = inputs.operation("gram/fp32/conv1_1@512", [1e-3], 1e6, 1e6, roof_share=1.25)
        inputs.write_benchmarks(self.folder / "machine" / "fast.json", rows)
        self.assertRegex(
            self.refusal(self.folder / "machine"), r"fast\.json.*gram.* 125 % of its roof"
        )

    def test_a_cold_row_above_the_roof_of_its_folder_is_an_error(self):
        inputs.write_machine(self.folder / "machine")
        rows = inputs.operation("gram/fp32/conv1_1@512/cold", [0.5e-3], 1e6, 1e8)
        inputs.write_benchmarks(self.folder / "machine" / "fast.json", rows)
        self.assertRegex(self.refusal(self.folder / "machine"), r"fast\.json.* 200 % of its roof")

    def test_a_rehearsal_is_refused(self):
        for document in (
            {**inputs.peers(), "rehearsal": True},
            {"context": {"rehearsal": "true"}, "benchmarks": []},
        ):
            inputs.write(self.folder / "machine" / "gpu.json", document)
            self.assertRegex(self.refusal(self.folder / "machine"), r"gpu\.json: .*rehearsal")

    def test_broken_files_are_named(self):
        path = self.folder / "machine" / "some.json"
        for text, expected in (
            ("{", "expected JSON"),
            ("[]", "expected an object"),
            ("{}", "context"),
            ('{"context": {}}', "benchmarks"),
            ('{"context": {}, "benchmarks": [{"name": "a"}]}', "real_time"),
            ('{"context": {}, "benchmarks": [{}]}', "name"),
            ('{"context": {}, "benchmarks": 5}', "./dev bench"),
            ('{"context": {}, "throttled": 5, "benchmarks": []}', "./dev bench"),
            ('{"context": {}, "size": 1, "contenders": "some"}', "./dev bench"),
            ('{"context": {}, "size": 1, "contenders": [{}]}', "contender"),
            ('{"context": {"ceiling_a_flops": "b"}, "benchmarks": []}', "ceiling_a_flops"),
            ('{"context": {}, "stage": "iteration", "complete": true}', "./dev gpu"),
            (json.dumps({"context": {}, "benchmarks": inputs.entries("a", [0.0])}), "above zero"),
        ):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            message = self.refusal(self.folder / "machine")
            self.assertIn("some.json", message)
            self.assertIn(expected, message)

    def test_only_a_file_is_replaced(self):
        inputs.write_machine(self.folder / "machine")
        os.mkfifo(self.output)
        done = self.run_report(self.folder / "machine")
        self.assertEqual((done.returncode, done.stdout), (6, ""))
        self.assertIn("report.html: expected a regular file", done.stderr)
        self.assertTrue(self.output.is_fifo())

    def test_a_missing_or_empty_folder_is_named(self):
        self.assertIn("nowhere", self.refusal(self.folder / "nowhere", code=2))
        (self.folder / "empty").mkdir()
        self.assertIn("empty", self.refusal(self.folder / "empty", code=2))


class Parts(unittest.TestCase):
    def test_a_name_is_taken_apart(self):
        parts = parse("gram/rung_3_shared_tile/conv3_1@512/bf16/batch:8/cold")
        self.assertEqual(
            (parts.op, parts.number, parts.rung, parts.layer, parts.size, parts.precision,
             parts.batch, parts.cache),
            ("gram", 3, "3 shared tile", "conv3_1", 512, "bf16", 8, "cold"),
        )  # fmt: skip
        step = parse("step/fp32/256/batch:8/conv1_1 Gram matrix")
        self.assertEqual((step.variant, step.size, step.batch), ("conv1_1 Gram matrix", 256, 8))
        self.assertEqual(parse("gram/rung_1_naive/16x16x64/fp32/batch:1").layer, "16x16x64")
        self.assertEqual(parse("iteration/winograd/256/batch:1").precision, "winograd")

    def test_the_floor_is_the_longer_of_arithmetic_and_traffic(self):
        roofs = Roofs({"fma": 1e12}, {"copy": 1e11, "l2_copy": 1e13})
        self.assertEqual(roofs.floor(1e9, 1e9, "fp32"), 0.01)
        self.assertEqual(roofs.floor(1e12, 1e9, "fp32"), 1.0)
        self.assertEqual(roofs.floor(1e12, 1e9, "bf16"), 1.0)  # widened to float

    def test_steps_are_of_kinds_and_one_that_no_rule_knows_is_another(self):
        operations = {"style_backward": 0.5, "pool_forward": 1.0, "pool_backward": 2.0, "total_variation": 4.0, "paint": 8.0}
        steps = [Row("step/x", Path(), (seconds,), label=name) for name, seconds in operations.items()]
        self.assertEqual(
            by_kind(steps, lambda row: row.seconds),
            {"pooling, both ways": 3.0, "style gradient": 0.5, "total variation": 4.0, "other steps": 8.0},
        )

    def test_a_prediction_is_a_tick_beside_the_measured_share(self):
        machine = Machine(Path("h100"), contexts={"a.json": {"device": "NVIDIA H100 80GB HBM3"}})
        name = "gram/rung_11_pipeline/conv1_1@512/bf16/batch:1"
        machine.rows = [Row(f"{name}/cold", Path(), (20e-6,), {"roof_share": 0.5})]
        drawn = []
        charts = SimpleNamespace(bars=lambda *shown, **more: drawn.append(shown) or "drawn")
        report.ladder(charts, "gram", machine.rows, machine)
        [(_, _, _, [bar], [tick])] = drawn
        predicted = predict(H100)[name].seconds
        self.assertAlmostEqual(tick, bar[1] * 20e-6 / predicted)
        self.assertIn(f"| {1e6 * predicted:.1f} | memory | 20.0 |", render.gram_prediction([machine]))
        machine.contexts["a.json"]["device"] = "A GPU that the model does not know"
        report.ladder(charts, "gram", machine.rows, machine)
        self.assertEqual(drawn[1][4], [0.0])

    def test_figures_keep_three_digits(self):
        self.assertEqual([report.time(s) for s in (2.0, 0.0123, 4.56e-5, 7e-9)],
                         ["2.00 s", "12.3 ms", "45.6 µs", "7.00 ns"])  # fmt: skip


if __name__ == "__main__":
    if DRAWING not in (None, sys.executable):
        os.execv(DRAWING, [DRAWING, "-B", *sys.argv])
    unittest.main()
