# SPDX-License-Identifier: MIT
"""The tables of a GPU run, from made-up results."""

import json
import shutil
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

import context  # noqa: E402
import render  # noqa: E402
from results import Machine, ResultError, read_machine  # noqa: E402

# 100 TFLOP/s and 1 TB/s.
CEILINGS = {"ceiling_bf16_flops": "1e14", "ceiling_copy_bytes_per_second": "1e12"}
CONTEXT = {
    "gpu": {"name": "Made-up GPU", "driver_version": "1.2.3"},
    "device": "Made-up GPU, compute capability 9.0; CUDA 13.0, cuDNN 9.19.0",
    "commit": "0123456789abcdef",
    "dirty": False,
    "date": "2026-01-01",
}


def stage(**content):
    common = {"context": CONTEXT, "rehearsal": False, "complete": True, "skipped": None}
    return {**common, "failures": [], **content}


def rows(size, batch, seconds, **steps):
    """iteration_bench's: the iteration, and its steps with their seconds and their floor's on CEILINGS."""
    shape = f"bf16/{size}/batch:{batch}"
    common = {"time_unit": "ms", "verified": 1, "tuned": int(size == 512)}
    whole = {"name": f"iteration/{shape}", "real_time": 1e3 * seconds, "device bytes": 2**31}
    parts = [{"name": f"step/{shape}/{name}", "real_time": 1e3 * taken,
              "flops": 1e14 * floor, "bytes": 1.0, "label": OPERATIONS[name]} for name, (taken, floor) in steps.items()]  # fmt: skip
    return [{**common, **one} for one in (whole, *parts)]


def contender(program, form, precision, seconds):
    return {
        "program": program,
        "form": form,
        "precision": precision,
        **({"seconds_per_iteration": seconds} if seconds else {"error": "out of memory"}),
    }


OPERATIONS = {"conv1_2 forward": "conv_forward", "pool1 backward": "pool_backward", "Adam": "adam"}
STEPS = {"conv1_2 forward": (8e-4, 6.1e-4), "pool1 backward": (1.5e-4, 1.4e-4)}
RUN = {
    "environment": stage(benchmarks=[], context={**CONTEXT, **CEILINGS}),
    "tests": stage(),
    "determinism": stage(failures=["fp16: 2 different pictures\nmore"]),
    "iteration": stage(
        benchmarks=rows(512, 1, 1e-3, **STEPS)
        + rows(512, 8, 6e-3, Adam=(6e-3, 5e-3))
        + rows(1024, 1, 4e-3, Adam=(4e-3, 3e-3)),
        not_measured=["4096², batch 8, bf16: not enough memory"],
        clocks={"clocks.sm": {"lowest": 1700, "median": 1755, "highest": 1980}},
    ),
    "peers": stage(
        complete=False,
        rows=[
            {
                "size": 512,
                "batch": 1,
                "tuned": True,
                "contenders": [
                    contender("Impasto", "", "bf16", 1e-3),
                    contender("PyTorch 9.9", "eager", "tf32", 4.5e-3),
                    contender("PyTorch 9.9", "autocast", "bf16", 2.5e-3),
                    contender("PyTorch 9.9", "tuned eager", "bf16", 2.25e-3),
                    contender("PyTorch 9.9", "compiled", "bf16", None),
                ],
            }
        ],
    ),
    "sanitizer": stage(complete=False, skipped="no compute-sanitizer on the path"),
}


class Run(unittest.TestCase):
    def setUp(self):
        self.machine = self.machine_of(RUN)

    def machine_of(self, stages):
        """As it is read from a folder with these stages."""
        kept = tempfile.TemporaryDirectory()
        self.addCleanup(kept.cleanup)
        for name, content in stages.items():
            (Path(kept.name) / f"{name}.json").write_text(json.dumps({"stage": name, **content}))
        return read_machine(Path(kept.name))


class Section(Run):
    def test_times_stand_beside_their_share_of_the_floor(self):
        text = render.gpu_run(self.machine)
        self.assertIn("| 512² | 1 (75%) |", text)
        self.assertIn("| 512², batch 8 | 6 (83%) |", text)

    def test_a_shape_whose_plans_were_not_tuned_is_marked(self):
        self.assertIn("| 1024² * | 4 (75%) |", render.gpu_run(self.machine))

    def test_without_ceilings_there_are_times_alone(self):
        iteration = stage(benchmarks=rows(512, 1, 1e-3, Adam=(1e-5, 1e-6)))
        text = render.gpu_run(self.machine_of({"tests": stage(), "iteration": iteration}))
        self.assertIn("| 512² | 1 |", text)
        self.assertIn("| Adam | 0.01 | 100.0 % |", text)

    def test_a_shape_that_did_not_fit_has_no_row(self):
        self.assertNotIn("4096", render.gpu_run(self.machine))

    def test_throughput_and_memory(self):
        self.assertIn("| 512², batch 8 | 1333 | 2.00 |", render.gpu_run(self.machine))

    def test_kinds_of_steps_stand_beside_their_share_and_floor(self):
        text = render.gpu_run(self.machine)
        self.assertIn("| convolutions, forward | 0.8 | 84.2 % | 0.61 |", text)
        self.assertIn("| pooling, both ways | 0.15 | 15.8 % | 0.14 |", text)

    def test_peers_are_given_as_times_ours_and_a_missing_one_as_a_dash(self):
        text = render.gpu_run(self.machine)
        self.assertIn("### 512² beside PyTorch", text)
        for line in ("| Impasto, bf16 | 1 | 1.00 | – | – |", "| PyTorch 9.9, tf32, eager | 4.5 | 4.50 | – | – |",
                     "| PyTorch 9.9, bf16, tuned eager | 2.25 | 2.25 | – | – |",
                     "| PyTorch 9.9, bf16, compiled | – | – | – | – |"):  # fmt: skip
            self.assertIn(line, text)

    def test_failures_skips_and_cuts_are_told_apart_from_success(self):
        text = render.gpu_run(self.machine)
        self.assertIn("| determinism | **failed**: fp16: 2 different pictures |", text)
        self.assertIn("| sanitizer | not run: no compute-sanitizer on the path |", text)
        self.assertIn("| peers | cut short |", text)
        self.assertIn("| environment | passed |", text)

    def test_the_caption_names_device_versions_clocks_and_commit(self):
        text = render.gpu_caption(self.machine)
        for part in ("Made-up GPU", "Driver 1.2.3", "CUDA 13.0", "cuDNN 9.19.0", "SM clock 1755 MHz",
                     "commit 0123456789", "cut short: peers."):  # fmt: skip
            self.assertIn(part, text)


class Targets(Run):
    def test_nothing_is_measured_before_a_run(self):
        lines = render.gpu_targets(Machine(Path())).splitlines()[2:]
        self.assertEqual(len(lines), 7)
        self.assertTrue(all(line.endswith("| – |") for line in lines))

    def test_what_was_measured_stands_beside_what_is_to_be_reached(self):
        text = render.gpu_targets(self.machine)
        self.assertIn("| 512², bf16 | ≤ 0.95 ms | 1 ms |", text)
        self.assertIn("| ≥ 1300 | 1333 |", text)
        self.assertIn("| ≥ 4 × | 4.50 × |", text)
        self.assertIn("| ≥ 2 × | 2.25 × |", text)
        self.assertIn("| ≥ 1.3 × | – |", text)


class Pages(unittest.TestCase):
    """With a repository of our own: results and pages."""

    def setUp(self):
        kept = tempfile.TemporaryDirectory()
        self.addCleanup(kept.cleanup)
        self.root = Path(kept.name)
        for page in render.PAGES:
            (self.root / page).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / page, self.root / page)
        patch = mock.patch.object(context, "REPOSITORY", self.root)
        patch.start()
        self.addCleanup(patch.stop)

    def write(self, **stages):
        folder = self.root / "benchmarks" / "results" / "made-up-gpu"
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in stages.items():
            (folder / f"{name}.json").write_text(json.dumps({"stage": name, **content}))

    def page(self):
        pages = dict(render.stale_pages())
        return pages.get(self.root / "docs" / "performance.md", "")

    def test_before_a_run_the_page_says_that_there_was_none(self):
        (self.root / "docs" / "performance.md").write_text("<!-- benchmark:gpu -->\n<!-- /benchmark -->")
        self.assertIn(render.NOTHING_YET.strip(), self.page())

    def test_a_run_fills_the_page(self):
        self.write(**RUN)
        page = self.page()
        self.assertIn("Made-up GPU", page)
        self.assertIn("| 4.5 | 4.50 |", page)
        self.assertNotIn(render.NOTHING_YET.strip(), page)

    def test_a_rehearsal_is_refused(self):
        self.write(**{**RUN, "peers": {**RUN["peers"], "rehearsal": True}})
        with self.assertRaisesRegex(ResultError, "peers.json: .* a rehearsal"):
            render.stale_pages()


if __name__ == "__main__":
    unittest.main()
