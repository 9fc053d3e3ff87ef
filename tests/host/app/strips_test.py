# SPDX-License-Identifier: MIT
"""--device with several: a strip of the picture on each."""

import json
import os
import signal
import unittest
from pathlib import Path

import png
from harness import LIGHT, ProgramTest, weights

FAULTS = os.environ.get("TEST_THREAD_FAULTS")


class StripsTest(ProgramTest):
    def arguments(self, *more, output="out.png", device="cpu,cpu"):
        return ["stylize", "sample:scene", "sample:painting", "-o", output, "--size", "136", "--scales", "1", "--iterations",
                "3", "--device", device, "--precision", "fp32", "--weights", weights(), *LIGHT, *more]

    def plan(self, *more, **devices):
        return json.loads(self.succeed(*self.arguments("--dry-run", "--json", *more, **devices)).stdout)

    def pixels_of(self, name):
        return [body for kind, body in png.chunks(Path(self.path(name)).read_bytes()) if kind == b"IDAT"]

    def test_a_plan_says_each_strip_and_what_it_needs(self):
        whole = self.plan(device="cpu")
        self.assertIsNone(whole["devices"])
        shared = self.plan(device="cpu,cpu,cpu")
        self.assertEqual(shared["backend"]["name"], "cpu:0,cpu:0,cpu:0")
        strips = [device["strip"] for device in shared["devices"]]
        self.assertEqual(sum(strip["height"] for strip in strips), shared["height"])
        self.assertEqual([strip["top"] for strip in strips][1:],
                         [strip["top"] + strip["height"] for strip in strips][:-1])
        self.assertEqual([strip["halo_above"] > 0 for strip in strips], [False, True, True])
        for device in shared["devices"]:
            self.assertLess(device["memory"]["arena_bytes"], whole["memory"]["arena_bytes"] / 2)
        words = self.succeed(*self.arguments("--dry-run")).stdout
        self.assertRegex(words, r"(?m)^cpu:0 +rows 0 to \d+, a halo of \d+, \d.* feature maps")
        self.assertRegex(words, r"(?m)^cpu:0 +rows [1-9]\d* to 101, a halo of \d+, \d.* feature maps")

    def test_the_picture_is_the_same_but_for_rounding_and_its_recipe_repeats_it(self):
        said = self.succeed(*self.arguments()).stderr
        self.succeed(*self.arguments(output="shared.png", device="cpu,cpu"))
        self.assertRegex(said, r"(?m)^Machine  cpu:0,cpu:0, fp32, ")
        self.assertRegex(said, r"(?m)^Strips   handed over through the host's memory$")
        loss, of_one = (json.loads(self.succeed(*self.arguments("--json", output="other.png", device=device)).stdout)
                        ["losses"]["loss"] for device in ("cpu,cpu", "cpu"))
        self.assertAlmostEqual(loss / of_one, 1, delta=1e-5)
        self.assertEqual(self.pixels_of("out.png"), self.pixels_of("shared.png"))
        self.succeed("stylize", "sample:scene", "sample:painting", "-o", "again.png", "--weights", weights(), "--from",
                     "out.png")
        self.assertEqual(Path(self.path("again.png")).read_bytes(), Path(self.path("out.png")).read_bytes())
        self.fail_with(2, "batch", "sample:scene", "--styles", "sample:painting", "-o", "many", "--from", "out.png",
                       says=["several devices"])

    def test_a_signal_keeps_the_run_and_as_many_devices_go_on_to_the_same_bytes(self):
        def run(*more, **devices):
            arguments = self.arguments(*more, **devices)
            arguments[arguments.index("--iterations") + 1] = "40"
            return arguments
        self.succeed(*run(output="whole.png"))
        process = self.start(*run("--checkpoint", "run.checkpoint", "--log", "log.jsonl"))
        self.wait_for_lines(process, "log.jsonl", 4)
        process.send_signal(signal.SIGINT)
        _, messages = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 130, messages)
        self.fail_with(3, *run("--checkpoint", "run.checkpoint", "--resume", device="cpu,cpu,cpu"),
                       says=["run.checkpoint", "other pictures, settings"])
        said = self.succeed(*run("--checkpoint", "run.checkpoint", "--resume")).stderr
        self.assertNotIn("beginning at the start", said)
        self.assertEqual(self.pixels_of("out.png"), self.pixels_of("whole.png"))
        self.assertNotIn("run.checkpoint", self.files())

    @unittest.skipUnless(FAULTS, "a sanitizer has to be loaded first, so nothing else can be")
    def test_a_device_that_fails_in_the_middle_ends_the_run_and_leaves_no_picture(self):
        for device in ("cpu,cpu", "cpu,cpu,cpu"):
            arguments = self.arguments("--log", "log.jsonl", "--checkpoint", "run.checkpoint", device=device)
            arguments[arguments.index("--iterations") + 1] = "100000"
            process = self.start(*arguments, environment={"LD_PRELOAD": FAULTS, "THREAD_FAULT": self.path("fault")})
            self.wait_for_lines(process, "log.jsonl", 4)
            Path(self.path("fault")).touch()
            said, messages = process.communicate(timeout=120)
            self.assertEqual((process.returncode, said), (75, ""), messages)
            self.assertRegex(messages, r"(?m)^impasto: not enough memory$")
            os.remove(self.path("fault"))
            last = json.loads(Path(self.path("log.jsonl")).read_text().splitlines()[-1])
            self.assertEqual((last["event"], last["exit_code"]), ("error", 75))
            os.remove(self.path("log.jsonl"))
            self.assertEqual(self.files(), [])

    def test_what_cannot_be_is_refused_before_anything_is_written(self):
        for options, devices, *says in (((), "cpu,auto", "--device", "auto"), ((), "cpu,", "--device"),
                                        ((), "cpu,simt", "alike"), (("--memory", "1G"), "cpu,cpu", "one device"),
                                        (("--style-octaves", "2"), "cpu,cpu", "style-octaves 2", "several devices"),
                                        (("--normalize-gradients",), "cpu,cpu", "normalize-gradients")):
            self.fail_with(2, *self.arguments("--log", "log.jsonl", *options, device=devices), says=says)
            self.fail_with(2, *self.arguments("--dry-run", *options, device=devices), says=says)
        for command in (("activations", "sample:scene", "--layer", "conv1_1", "-o", "map.h5"),
                        ("score", "sample:scene", "--content", "sample:scene", "--style", "sample:painting"),
                        ("frames", "in", "out", "--style", "sample:painting")):
            self.fail_with(2, *command, "--device", "cpu,cpu", says=["--device takes one device", "stylize"])
        self.assertEqual(self.files(), [])


if __name__ == "__main__":
    unittest.main()
