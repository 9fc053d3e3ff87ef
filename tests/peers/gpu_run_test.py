# SPDX-License-Identifier: MIT
"""The script behind `./dev gpu`, as far as it can be known without a GPU."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from dataclasses import replace
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]
RUN = ROOT / "benchmarks" / "campaign" / "run.py"
sys.path.insert(0, str(ROOT / "benchmarks"))

from campaign import correctness, machine, measurements, run  # noqa: E402
from campaign.scale import GPU, REHEARSAL, TUNING, Campaign, Skipped  # noqa: E402
from peers.runs import execute  # noqa: E402

PROGRAMS = ""


def campaign(folder):
    return Campaign(Path(PROGRAMS), sys.executable, folder / "out", folder, REHEARSAL, {"made": "up"})


class Folder(unittest.TestCase):
    def setUp(self):
        kept = tempfile.TemporaryDirectory()
        self.addCleanup(kept.cleanup)
        self.folder = Path(kept.name)

    def result(self, stage):
        return json.loads((self.folder / "out" / f"{stage}.json").read_text())


class Stages(Folder):
    def run_all(self, budget, **stages):
        listed = [run.Stage(name, 20, body) for name, body in stages.items()]
        return run.run_all(listed, campaign(self.folder), budget, rehearsal=True)

    def test_one_that_fails_stops_no_other_and_keeps_what_it_had(self):
        def fails(here, result):
            result["half"] = 1
            raise RuntimeError("no luck")

        def works(here, result):
            result["whole"] = 2

        lines = self.run_all(100, first=fails, second=works)
        self.assertIn("FAILED   first", lines[0])
        self.assertIn("no luck", lines[0])
        self.assertIn("passed   second", lines[1])
        self.assertEqual(self.result("first")["half"], 1)
        self.assertFalse(self.result("first")["complete"])
        self.assertEqual(self.result("second")["whole"], 2)
        self.assertEqual(self.result("second")["failures"], [])

    def test_a_failure_that_is_noted_is_a_failure(self):
        lines = self.run_all(100, only=lambda here, result: here.fail("a loss differs"))
        self.assertIn("FAILED   only", lines[0])

    def test_one_that_cannot_run_here_is_skipped_and_not_passed(self):
        def cannot(here, result):
            raise Skipped("no such tool")

        lines = self.run_all(100, only=cannot)
        self.assertIn("skipped  only", lines[0])
        self.assertEqual(self.result("only")["skipped"], "no such tool")

    def test_without_time_a_stage_is_not_begun_and_that_is_a_failure(self):
        lines = self.run_all(1, only=lambda here, result: None)
        self.assertIn("FAILED   only: not begun", lines[0])

    def test_a_stage_may_not_take_the_time_of_those_behind_it(self):
        left = []
        self.run_all(50, first=lambda here, _: left.append(here.left()), second=lambda *_: None)
        self.assertAlmostEqual(left[0], 30, delta=1)

    def test_a_program_that_takes_too_long_is_ended_with_all_it_started(self):
        with self.assertRaisesRegex(RuntimeError, "took longer"):
            execute(["sh", "-c", "sleep 1000 & sleep 1000"], timeout=0.2)


class GoogleTest(Folder):
    def counted(self, *tests, status=0):
        report = json.dumps({"testsuites": [{"name": "Suite", "testsuite": tests}]})
        program = self.folder / "program.py"
        program.write_text(
            "import sys\n"
            "path = sys.argv[1].split(':', 1)[1]\n"
            f"open(path, 'w').write({report!r})\n"
            f"sys.exit({status})\n"
        )
        here = campaign(self.folder)
        here.deadline = float("inf")
        counted = correctness.run_tests(here, "program", sys.executable, str(program), timeout=60)
        return counted, here.failures

    def test_tests_that_ran_failed_or_were_skipped_are_told_apart(self):
        counted, failures = self.counted(
            {"name": "good", "status": "RUN", "result": "COMPLETED"},
            {"name": "bad", "status": "RUN", "result": "COMPLETED", "failures": [{}]},
            {"name": "away", "status": "RUN", "result": "SKIPPED"},
            {"name": "other", "status": "NOTRUN", "result": "SUPPRESSED"},
            status=1,
        )
        self.assertEqual(counted["ran"], 2)
        self.assertEqual(counted["failed"], ["Suite.bad"])
        self.assertEqual(counted["skipped"], ["Suite.away"])
        self.assertIn("Suite.bad", failures[0])

    def test_no_test_that_ran_is_a_failure(self):
        _, failures = self.counted({"name": "away", "status": "RUN", "result": "SKIPPED"})
        self.assertEqual(failures, ["program: no test ran"])

    def test_good_tests_of_a_program_that_fails_are_a_failure(self):
        _, failures = self.counted({"name": "a", "status": "RUN", "result": "COMPLETED"}, status=9)
        self.assertIn("exited with 9", failures[0])


class Iterations(Folder):
    """With an iteration_bench of our own."""

    def measured(self, program, shape=(512, 8)):
        scale = replace(REHEARSAL, shapes=(shape,), tuned_shapes=((512, 8),))
        here = replace(campaign(self.folder), programs=self.folder, scale=scale, deadline=float("inf"))
        for name, text in {"iteration_bench": program, "impasto": "echo '[{\"name\": \"cpu\", \"precisions\": [\"bf16\"]}]'"}.items():
            (self.folder / name).write_text(f"#!/bin/sh\n{text}\n")
            (self.folder / name).chmod(0o755)
        result = {"stage": "iteration"}
        measurements.iteration(here, result)
        return result, here.failures

    def test_rows_are_kept_as_the_program_wrote_them_with_whether_its_plans_were_tuned(self):
        row = {"name": "iteration/bf16/512/batch:8", "run_type": "iteration", "real_time": 4.0, "verified": 1}
        rows = json.dumps({"benchmarks": [row, {**row, "run_type": "aggregate"}]})
        for shape, tuned in (((512, 8), 1), ((256, 1), 0)):
            result, failures = self.measured(f"echo '{rows}'; echo \"$@\" > {self.folder}/options", shape)
            kept = {key: value for key, value in row.items() if key != "run_type"}
            self.assertEqual(result["benchmarks"], [{**kept, "tuned": tuned}])
            self.assertEqual("--no-plan-cache" in (self.folder / "options").read_text(), not tuned)
            self.assertEqual(failures, [])

    def test_a_shape_that_is_too_large_for_the_gpu_is_no_failure_and_a_small_one_is(self):
        for shape, failed in (((8192, 1), 0), ((256, 1), 1)):
            result, failures = self.measured("echo no room >&2; exit 75", shape)
            self.assertEqual(result["benchmarks"], [])
            self.assertIn("no room", result["not_measured"][0])
            self.assertEqual(len(failures), failed)


class Machine(Folder):
    """With an nvidia-smi of our own."""

    SMI = """#!/bin/sh
case "$*" in
  *lms*) while :; do echo "1755, 2619, 350.5, 61, 99, 0x0000000000000004"
      echo "345, 2619, 70.1, 40, 0, 0x0000000000000041"; sleep 0.05; done ;;
  *query-gpu=name*) echo "Made-up GPU" ;;
  *query-gpu=driver_version*) echo 1.2.3 ;;
  *) exit 2 ;;
esac
"""

    def setUp(self):
        super().setUp()
        program = self.folder / "nvidia-smi"
        program.write_text(self.SMI)
        program.chmod(0o755)
        patch = mock.patch.dict(os.environ, PATH=f"{self.folder}:{os.environ['PATH']}")
        patch.start()
        self.addCleanup(patch.stop)

    def test_what_a_gpu_does_not_tell_is_left_out(self):
        self.assertEqual(machine.query(), {"name": "Made-up GPU", "driver_version": "1.2.3"})

    def test_clocks_are_those_of_a_busy_gpu(self):
        with machine.ClockWatch() as watch:
            time.sleep(0.5)
        clocks = watch.clocks()
        self.assertEqual(clocks["clocks.sm"], {"lowest": 1755, "median": 1755, "highest": 1755})
        self.assertEqual(clocks["power.draw"]["median"], 350.5)
        self.assertEqual(watch.throttled(), ["power cap"])


class Operations(unittest.TestCase):
    def test_every_ladder_is_measured(self):
        ladders = re.findall(r'ladder\("(\w+)"', (ROOT / "host" / "check" / "ladders.cpp").read_text())
        self.assertGreater(len(ladders), 10)
        for scale in (GPU, TUNING):
            measured = [command[1].removeprefix("--op=") for command in scale.operations]
            self.assertEqual(sorted(measured), sorted(ladders))


class WholeScript(Folder):
    def call(self, *options):
        command = [sys.executable, str(RUN), "--programs", PROGRAMS, *options]
        return subprocess.run(command, capture_output=True, text=True)

    def test_without_a_gpu_it_says_so_and_ends_with_5(self):
        backends = json.loads(execute([f"{PROGRAMS}/impasto", "devices", "--json"]))
        if any(entry["name"] == "cuda" and entry["available"] for entry in backends):
            self.skipTest("here is a GPU")
        done = self.call("--output", str(self.folder / "out"))
        self.assertEqual(done.returncode, 5, done.stderr)
        self.assertIn("nothing was run: no GPU", done.stderr)
        self.assertFalse((self.folder / "out").exists())

    def test_a_rehearsal_goes_the_way_and_is_marked(self):
        stages = ("--only", "determinism")
        done = self.call("--rehearse", "--output", str(self.folder / "out"), *stages)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("REHEARSAL", done.stdout)
        result = self.result("determinism")
        self.assertTrue(result["rehearsal"])
        self.assertTrue(result["complete"])
        self.assertEqual(result["hashes"]["fp32"]["runs"], REHEARSAL.repetitions)

    def test_the_archive_has_every_module_that_it_needs(self):
        listed = re.findall(r"install\((?:DIRECTORY|FILES) ((?:benchmarks/\S+ ?)+)", (ROOT / "cmake" / "archive.cmake").read_text())
        for path in " ".join(listed).split():
            copy = shutil.copytree if (ROOT / path).is_dir() else shutil.copy
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            copy(ROOT / path, self.folder / path)
        command = [sys.executable, "-B", str(self.folder / "benchmarks" / "campaign" / "run.py"), "--help"]
        done = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_stage_that_does_not_exist_is_refused(self):
        done = self.call("--only", "nonsense")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("no stage 'nonsense'", done.stderr)


if __name__ == "__main__":
    PROGRAMS = str(Path(sys.argv.pop()).resolve().parent)
    unittest.main()
