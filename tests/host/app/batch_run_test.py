# SPDX-License-Identifier: MIT
"""A batch loses nothing: it goes on where it was interrupted, and one bad picture stops no other."""

import json
import os
import shutil
import signal
import time
import unittest

import png
from batch_harness import BatchTest
from harness import weights


class ResumeTest(BatchTest):
    def test_the_same_command_and_resume_make_what_is_missing(self):
        self.pictures(3)
        self.batch()
        whole = self.outputs()
        times = {name: os.stat(self.path("out/" + name)).st_mtime_ns for name in whole}
        self.batch()
        for again, record_too in ((self.arguments(), True), (("resume", "out"), True), (("resume", "out/.impasto"), True),
                                  (self.arguments(), False), (("resume", "out"), False)):
            os.remove(self.path("out/1_red.png"))
            if record_too:
                self.remove_record("1_red.png")
            self.assertEqual(self.status(), {"total": 6, "done": 5, "failed": 0, "missing": 1})
            self.succeed(*again)
            self.assertEqual(self.outputs(), whole)
            self.assertEqual(self.status()["done"], 6)
        for name, before in times.items():
            if name != "1_red.png":
                self.assertEqual(os.stat(self.path("out/" + name)).st_mtime_ns, before, name)

    def remove_record(self, output):
        for parent, _, files in os.walk(self.path("out/.impasto/done")):
            for name in files:
                path = os.path.join(parent, name)
                with open(path, encoding="utf-8") as file:
                    if f'"output": "{output}"' in file.read():
                        os.remove(path)

    def test_resume_works_from_elsewhere(self):
        self.pictures(1)
        self.batch()
        whole = self.outputs()
        shutil.rmtree(self.path("out/.impasto/done"))
        for name in whole:
            os.remove(self.path("out/" + name))
        os.mkdir(self.path("elsewhere"))
        here, self.folder = self.folder, self.path("elsewhere")
        self.succeed("resume", os.path.join(here, "out"))
        self.folder = here
        self.assertEqual(self.outputs(), whole)

    def test_another_configuration_is_refused(self):
        self.pictures(2)
        self.batch()
        before = self.outputs()
        self.batch_fails(2, "--style-weight", "3", says=["style-weight", "impasto resume"])
        self.batch_fails(2, says="style-weight", options={"env": {"IMPASTO_STYLE_WEIGHT": "3"}})
        self.batch_fails(2, styles=("styles/red.png",), says="other pictures")
        other = self.path("other.h5")
        self.succeed("weights", "generate", other, "--seed", "5")
        self.batch_fails(2, "--weights", other, says="weights")
        self.assertEqual(self.outputs(), before)
        self.batch_fails(2, "--run", "second", says="are there already")
        self.assertFalse(os.path.exists(self.path("second/run.json")))

    def test_files_that_were_there_before(self):
        self.pictures(2)
        os.mkdir(self.path("out"))
        self.picture("out/0_red.png", 50)
        before = self.outputs()
        self.batch_fails(2, says=["out/0_red.png", "--if-exists"])
        self.assertEqual(self.outputs(), before)
        self.batch("--if-exists", "skip")
        self.assertEqual(self.outputs()["0_red.png"], before["0_red.png"])
        self.assertEqual(len(self.outputs()), 4)
        shutil.rmtree(self.path("out/.impasto"))
        self.batch("--if-exists", "overwrite")
        self.assertNotEqual(self.outputs()["0_red.png"], before["0_red.png"])

    def test_no_input_is_overwritten(self):
        self.pictures(1)
        before = self.outputs("in")
        for contents, output, name in ((("in",), ".", "in/{stem}.png"), (("in/0.png",), "in", "{stem}.png")):
            self.batch_fails(2, "--if-exists", "overwrite", "--name", name, contents=contents,
                             styles=("styles/red.png",), output=output, says="is an input")
        os.symlink(self.path("styles"), self.path("link"))
        self.batch_fails(2, "--if-exists", "overwrite", "--name", "red.png", styles=("styles/red.png",),
                         output="link", says="is an input")
        self.assertEqual(self.outputs("in"), before)
        self.picture("out/0_red.png", 5)
        before = self.outputs()
        self.manifest_of({"content": "in/0.png", "styles": "styles/red.png", "init": "out/0_red.png"})
        for pictures in (("--init", "out/0_red.png", "in/0.png"), ("--manifest", "m.jsonl")):
            self.batch_fails(2, "--if-exists", "overwrite", *pictures, contents=(), styles=("styles/red.png",),
                             says="is an input")
        self.assertEqual(self.outputs(), before)

    def manifest_of(self, *rows):
        with open(self.path("m.jsonl"), "w", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)

    def test_one_process_works_on_a_run(self):
        self.pictures(2)
        first = self.start(*self.arguments("--iterations", "100000"))
        self.wait_for(lambda: os.path.exists(self.path("out/.impasto/lock.0-of-1")), first)
        time.sleep(0.2)
        self.fail_with(2, "resume", "out", says="another process")
        first.send_signal(signal.SIGTERM)
        first.communicate(timeout=60)

    def wait_for(self, condition, process):
        for _ in range(6000):
            if condition():
                return
            if process.poll() is not None:
                self.fail(f"the program ended with {process.returncode}: {process.stderr.read()}")
            time.sleep(0.01)
        self.fail("it never came")

    def test_a_signal_gives_up_the_running_items_and_resume_makes_them(self):
        self.pictures(3)
        self.batch("--iterations", "400", output="whole")
        for number in (signal.SIGINT, signal.SIGTERM):
            process = self.start(*self.arguments("--iterations", "400"))
            self.wait_for(lambda: len(self.records()) > 0, process)
            process.send_signal(number)
            _, messages = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 128 + number, messages)
            self.assertEqual(set(self.outputs()), set(self.records()))
            self.assertLess(len(self.outputs()), 6)
            self.assertEqual(self.debris(), [])
            self.succeed("resume", "out")
            self.assertEqual(self.outputs(), self.outputs("whole"))
            shutil.rmtree(self.path("out"))

    def checkpoints(self):
        found = []
        for parent, _, files in os.walk(self.path("out/.impasto/checkpoints")):
            found += [os.path.join(parent, name) for name in files]
        return found

    def interrupt(self, number, *more):
        """Starts a batch of long items and ends it with a signal once one of them has got somewhere."""
        process = self.start(*self.arguments("--iterations", "200", *more, styles=("styles/red.png",)))
        kept_on_the_way = "--checkpoint-every" in more
        self.wait_for(lambda: self.checkpoints() if kept_on_the_way else self.records(), process)
        process.send_signal(number)
        process.communicate(timeout=60)
        time.sleep(0.2)  # until its workers are gone as well

    def test_an_interrupted_item_goes_on_where_it_stood(self):
        self.pictures(4)
        self.batch("--iterations", "200", styles=("styles/red.png",), output="whole")
        every = ("--checkpoint-every", "5")
        for number, more in ((signal.SIGINT, ()), (signal.SIGTERM, (*every, "--batch-size", "2")),
                             (signal.SIGKILL, every)):
            self.interrupt(number, *more)
            self.assertGreater(len(self.checkpoints()), 0)
            self.succeed("resume", "out")
            self.assertEqual(self.outputs(), self.outputs("whole"))
            self.assertIn(True, [record["resumed"] for record in self.records().values()])
            self.assertEqual(self.checkpoints(), [])
            shutil.rmtree(self.path("out"))

    def test_a_damaged_checkpoint_and_one_of_another_picture_cost_nothing(self):
        self.pictures(4)
        self.interrupt(signal.SIGINT)
        for path in self.checkpoints():
            with open(path, "r+b") as file:
                file.seek(-40, os.SEEK_END)
                end = file.read(20)
                file.seek(-40, os.SEEK_END)
                file.write(bytes(255 - byte for byte in end))
        self.succeed("resume", "out")
        self.assertNotIn(True, [record["resumed"] for record in self.records().values()])
        shutil.rmtree(self.path("out"))
        self.interrupt(signal.SIGINT)
        for i in range(4):
            self.picture(f"in/{i}.png", 20 + i)
        self.succeed("resume", "out")
        self.assertNotIn(True, [record["resumed"] for record in self.records().values()])

    def test_a_killed_batch_leaves_no_debris_behind_once_it_goes_on(self):
        self.pictures(2)
        self.batch()
        whole = self.outputs()
        for place in ("out", "out/.impasto", "out/.impasto/done"):
            self.picture(f"{place}/.impasto-0123456789abcdef.png", 3)
        self.picture("out/.impasto-mine.png", 3)
        self.batch()
        self.assertEqual(self.debris(), [self.path("out/.impasto-mine.png")])
        self.assertEqual(self.outputs(), whole)


class RecordsTest(BatchTest):
    def contents(self, folder):
        found = {}
        for parent, _, files in os.walk(self.path(folder)):
            for name in files:
                with open(os.path.join(parent, name), "rb") as file:
                    found[os.path.join(parent, name)] = file.read()
        return found

    def test_no_output_is_written_among_the_records(self):
        self.pictures(1)
        self.batch()
        self.batch("--run", "kept", output="second")
        before = self.contents("out/.impasto"), self.contents("kept")
        os.symlink("out/.impasto", self.path("link"))
        for name in ("items.jsonl", "run.json", "new.jsonl", "done/new.jsonl"):
            for log in (f"out/.impasto/{name}", f"link/{name}", self.path(f"out/../out/.impasto/{name}")):
                self.batch_fails(2, "--log", log, says="records")
                for run in ("out", "out/.impasto", "link"):
                    self.fail_with(2, "resume", run, "--log", log, says="records")
            self.batch_fails(2, "--run", "kept", "--log", f"kept/{name}", output="second", says="records")
            self.fail_with(2, "resume", "kept", "--log", f"kept/{name}", says="records")
        self.fail_with(2, "resume", "out", "--metrics", "out/.impasto/m.prom", says="records")
        self.assertEqual((self.contents("out/.impasto"), self.contents("kept")), before)
        self.succeed("resume", "out", "--log", "out/run.jsonl")

    def test_items_that_are_not_those_that_the_run_began_with(self):
        self.pictures(2)
        self.batch()
        path = self.path("out/.impasto/items.jsonl")
        with open(path, "rb") as file:
            lines = file.readlines()
        for changed in ([], lines[:1], lines[1:], [*lines, lines[0].replace(b"0_", b"x_")]):
            with open(path, "wb") as file:
                file.writelines(changed)
            for command in (("resume", "out"), ("status", "out"), self.arguments()):
                self.fail_with(3, *command, says="items.jsonl: it is not what it was")

    def test_a_run_json_that_is_damaged(self):
        self.pictures(1)
        self.batch()
        for text in ("", "{", "[]", '{"items": 3}', '{"items": {"sha256": 3}}', '{"shards": "x"}', "[" * 100000):
            with open(self.path("out/.impasto/run.json"), "w", encoding="utf-8") as file:
                file.write(text)
            for command in ("resume", "status"):
                result = self.run_program(command, "out")
                self.assertIn(result.returncode, (2, 3), result.stderr)
                self.assertRegex(result.stderr, r"(?m)^impasto: out.*(run\.json|items\.jsonl)")

    def test_devices_that_are_not_there_begin_no_run(self):
        self.pictures(1)
        for more, code, says in ((("--devices", "cpuu"), 2, ("did you mean 'cpu'?", "auto", "number of a GPU")),
                                 (("--devices", "cpu,"), 2, "--devices"), (("--devices", "cpu,all"), 2, "all stands alone"),
                                 (("--devices", "cpu,cpu:9"), 5, "no device 9"), (("--devices", "cpu:9"), 5, "no device 9"),
                                 (("--precision", "tf32", "--devices", "cpu"), 5, "tf32")):
            self.batch_fails(code, *more, says=says)
            self.assertFalse(os.path.exists(self.path("out")))


class FailuresTest(BatchTest):
    def test_a_bad_picture_stops_no_other_and_is_tried_again_on_demand(self):
        self.pictures(3)
        with open(self.path("in/bad.png"), "wb") as file:
            file.write(b"\x89PNG\r\n\x1a\nno more")
        result = self.batch_fails(3, styles=("styles/red.png",), says="1 of 4 items failed")
        self.assertIn("bad_red.png: cannot read", result.stderr)
        self.assertEqual(len(self.outputs()), 3)
        self.assertEqual(self.status(), {"total": 4, "done": 3, "failed": 1, "missing": 0})
        status = self.run_program("status", "out")
        self.assertEqual(status.returncode, 3)
        self.assertIn("bad_red.png: cannot read", status.stdout)
        self.fail_with(3, "resume", "out", says="1 of 4 items failed")
        self.assertEqual(self.records("failed")["bad_red.png"]["attempts"], 1)
        self.fail_with(3, "resume", "out", "--retry-failed", says="1 of 4 items failed")
        self.assertEqual(self.records("failed")["bad_red.png"]["attempts"], 2)
        self.picture("in/bad.png", 9)
        self.succeed("resume", "out", "--retry-failed")
        self.assertEqual(self.records("failed"), {})
        self.assertEqual(self.records()["bad_red.png"]["attempts"], 3)
        self.assertEqual(self.status()["done"], 4)

    def test_max_failures(self):
        for i in range(400):
            with open(self.path(f"in/{i:03}.png"), "wb") as file:
                file.write(b"nothing")
        self.batch_fails(3, "--max-failures", "5", styles=("styles/red.png",), says="items failed")
        counts = self.status()
        self.assertGreaterEqual(counts["failed"], 5)
        self.assertGreater(counts["missing"], 200)

    def test_a_picture_whose_loss_becomes_infinite_costs_the_others_nothing(self):
        self.pictures(3)
        self.batch(styles=("styles/red.png",), output="whole")
        rows = [f'{{"content": "in/{i}.png", "styles": "styles/red.png"}}\n' for i in range(3)]
        rows.insert(1, '{"content": "in/0.png", "styles": "styles/red.png", "output": "wild.png", '
                       '"preset": "coursera", "learning-rate": 1e30}\n')
        with open(self.path("m.jsonl"), "w", encoding="utf-8") as file:
            file.writelines(rows)
        self.batch_fails(3, "--manifest", "m.jsonl", "--batch-size", "4", contents=(), styles=(),
                         says=["1 of 4 items failed", "infinite"])
        self.assertEqual(self.outputs(), self.outputs("whole"))
        self.assertEqual(self.records("failed")["wild.png"]["exit_code"], 7)

    def test_a_folder_that_cannot_be_written(self):
        self.pictures(1)
        os.chmod(self.folder, 0o755)
        os.mkdir(self.path("out"), 0o555)
        # Root may write everywhere, so it runs the program as somebody else.
        somebody = {"user": 65534, "group": 65534} if os.geteuid() == 0 else {}
        try:
            self.batch_fails(6, says="cannot", options=somebody)
        except PermissionError:
            self.skipTest("another user may not run the program")

    def test_an_output_that_cannot_be_written_ends_the_batch_with_6(self):
        self.pictures(2)
        os.makedirs(self.path("out/0_red.png"))
        self.batch_fails(6, "--if-exists", "overwrite", says="0_red.png")
        self.assertEqual(self.debris(), [])
        os.rmdir(self.path("out/0_red.png"))
        self.succeed("resume", "out")
        self.assertEqual(len(self.outputs()), 4)


if __name__ == "__main__":
    unittest.main()
