# SPDX-License-Identifier: MIT
"""--log: every record is there, and its numbers add up."""

import array
import hashlib
import json
import math
import os
import select
import unittest

import png
from harness import SAMPLES, ProgramTest, read_log, weights


class LogTest(ProgramTest):
    def check_log(self, log, iterations):
        start, *records, end = log
        self.assertEqual(start["event"], "start")
        for key in ("time", "versions", "backend", "network", "content", "styles", "output", "config",
                    "height", "width"):
            self.assertIn(key, start)
        self.assertEqual([r["event"] for r in records], ["iteration"] * (iterations + 1))
        self.assertEqual([r["iteration"] for r in records], list(range(iterations + 1)))
        for record in records:
            self.check_sums(record, start["config"])
        seconds = [r["seconds"] for r in records]
        self.assertEqual(seconds, sorted(seconds))
        self.assertEqual(end["event"], "end")
        self.assertEqual(end["iterations"], iterations)
        self.assertGreater(end["peak_memory_bytes"], 1 << 20)
        self.assertAlmostEqual(end["iterations_per_second"], iterations / end["seconds"], delta=1e-6)

    def test_several_styles(self):
        self.succeed("stylize", *SAMPLES, "sample:scene", "-o", "out.png", "--size", "48",
                     "--iterations", "1", "--log", "run.jsonl", "--weights", weights())
        start = read_log(self.path("run.jsonl"))[0]
        self.assertEqual([style["path"] for style in start["styles"]], [SAMPLES[1], "sample:scene"])

    def check_sums(self, record, config):
        style = sum(config["style_layers"][k] * v for k, v in record["style_layers"].items())
        content = sum(config["content_layers"][k] * v for k, v in record["content_layers"].items())
        total = (config["content_weight"] * record["content"]
                 + config["style_weight"] * record["style"]
                 + config["tv_weight"] * record["tv"])
        self.assertEqual(record["style_layers"].keys(), config["style_layers"].keys())
        self.assert_close(record["style"], style)
        self.assert_close(record["content"], content)
        self.assert_close(record["loss"], total)

    def assert_close(self, value, expected):
        self.assertLessEqual(abs(value - expected), 1e-6 * abs(expected))

    def check_hash(self, end, name="out.png"):
        self.assertEqual(end["output"], name)
        with open(self.path(name), "rb") as file:
            self.assertEqual(end["sha256"], hashlib.sha256(file.read()).hexdigest())

    def test_light_network(self):
        self.stylize("--log", "run.jsonl", "--tv-weight", "0.5", iterations=4)
        log = read_log(self.path("run.jsonl"))
        self.check_log(log, 4)
        self.check_hash(log[-1])
        self.assertEqual(log[-1]["ending"], "finished")
        self.assertLess(log[-2]["loss"], log[1]["loss"])

    def test_every_preset(self):
        # L-BFGS has no line search: on random weights its second step may leap.
        for preset, iterations in (("impasto", 2), ("trained", 2), ("gatys", 1), ("coursera", 2)):
            self.succeed("stylize", *SAMPLES, "-o", "out.png", "--size", "48", "--preset", preset,
                         "--iterations", iterations, "--log", "run.jsonl", "--weights", weights())
            self.check_log(read_log(self.path("run.jsonl")), iterations)

    def test_losses_that_are_infinite_from_the_start(self):
        """The first layers have weights of 9000, which the reader does not mind."""
        with open(weights(), "rb") as file:
            data = file.read()
        values = array.array("f", data[: 12 << 20])
        for at in range(0, len(values), 64):
            block = values[at : at + 64]
            if all(1e-9 < abs(value) < 10 for value in block):
                loud = [math.copysign(9000, value) for value in block]
                values[at : at + 64] = array.array("f", loud)
        with open(self.path("loud.h5"), "wb") as file:
            file.write(values.tobytes() + data[12 << 20 :])
        layers = ("--content-layers", "conv3_4", "--style-layers", "conv3_4", "--weights", "loud.h5")
        run = ["stylize", *SAMPLES, "-o", "out.png", "--size", "48", *layers]
        for more in ((), ("--json",), ("-q",), ("-q", "--json"), ("--log", "run.jsonl")):
            self.fail_with(7, *run, *more, says=["initial picture", "not finite", "weights"])
            self.assertNotIn("out.png", self.files())
        log = read_log(self.path("run.jsonl"))
        self.assertEqual((log[-1]["ending"], log[-1]["output"]), ("diverged", None))
        self.fail_with(7, "score", SAMPLES[0], "--size", "48", "--content", SAMPLES[0], "--style",
                       SAMPLES[1], *layers, says="not finite")
        self.fail_with(7, "activations", SAMPLES[0], "--size", "48", "--layer", "conv3_4", "-o", "a.h5",
                       "--weights", "loud.h5", says="not finite")
        self.assertNotIn("a.h5", self.files())

    def test_a_second_run_replaces_the_log(self):
        for iterations in (4, 2):
            self.stylize("--log", "run.jsonl", iterations=iterations)
        self.check_log(read_log(self.path("run.jsonl")), 2)

    def test_json(self):
        result = self.stylize("--json", "--log", "run.jsonl")
        end = read_log(self.path("run.jsonl"))[-1]
        said = json.loads(result.stdout)
        losses = said.pop("losses")
        end.pop("event")
        self.assertEqual(said, end)
        self.assertGreater(losses["loss"], 0)

    def test_divergence(self):
        arguments = ["stylize", *SAMPLES, "-o", "out.png", "--size", "48", "--preset", "coursera",
                     "--learning-rate", "1e30", "--init", "content", "--iterations", "5",
                     "--weights", weights(), "--log", "run.jsonl", "--quiet"]
        self.fail_with(7, *arguments, says=["out.png", "--learning-rate"])
        log = read_log(self.path("run.jsonl"))
        self.assertEqual(log[-1]["ending"], "diverged")
        self.check_hash(log[-1])
        # The last picture with a finite loss is the one that the log ends with.
        rows = png.Picture(self.path("out.png")).rows()
        self.assertGreater(len({bytes(row) for row in rows}), 1)

    def test_a_loss_that_rises(self):
        """The steps are far too large: the best picture is kept, and the run says so."""
        run = ("stylize", *SAMPLES, "--size", "24", "--content-layers", "conv1_1", "--style-layers",
               "conv1_1", "--preset", "coursera", "--learning-rate", "100", "--init", "content",
               "--weights", weights())
        self.fail_with(7, *run, "-o", "out.png", "--iterations", "12", "--log", "run.jsonl",
                       says=["the loss rose", "out.png", "--learning-rate"])
        log = read_log(self.path("run.jsonl"))
        losses = [record["loss"] for record in log[1:-1]]
        best = losses.index(min(losses))
        self.assertGreater(losses[-1], losses[0])
        self.assertGreater(best, 0)
        self.assertEqual((log[-1]["ending"], log[-1]["result_iteration"]), ("finished", best))
        self.check_hash(log[-1])
        self.succeed(*run, "-o", "best.png", "--iterations", best)
        kept, expected = (png.Picture(self.path(name)).rows() for name in ("out.png", "best.png"))
        self.assertEqual(kept, expected)

    def test_pipe_that_nobody_reads(self):
        os.mkfifo(self.path("pipe"))
        self.fail_with(6, *self.stylize_arguments("--log", "pipe"), says=["pipe", "nobody reads"])

    def test_pipe_whose_reader_goes_away(self):
        os.mkfifo(self.path("pipe"))
        reader = os.open(self.path("pipe"), os.O_RDONLY | os.O_NONBLOCK)
        process = self.start(*self.stylize_arguments("--iterations", "40", "--log", "pipe", "-q"))
        while not self.readable(reader) or not os.read(reader, 1 << 16):
            pass
        os.close(reader)
        _, messages = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 6, messages)
        self.assertIn("incomplete", messages)
        self.assert_complete_picture("out.png")

    def readable(self, reader):
        return bool(select.select([reader], [], [], 0.01)[0])

    def test_two_runs_with_one_log(self):
        first = self.start(*self.stylize_arguments("--iterations", "1000000", "--log", "run.jsonl"))
        self.wait_for_lines(first, "run.jsonl", 2)
        self.fail_with(6, *self.stylize_arguments("--log", "run.jsonl", output="second.png"),
                       says=["run.jsonl", "another run"])
        first.terminate()
        first.communicate(timeout=60)
        log = read_log(self.path("run.jsonl"))
        self.assertEqual([r["event"] for r in log].count("start"), 1)
        self.assertEqual(log[-1]["ending"], "stopped")

    def test_a_run_that_is_refused_leaves_the_last_log(self):
        self.stylize("--log", "run.jsonl")
        with open(self.path("run.jsonl"), "rb") as file:
            before = file.read()
        with open(self.path("bad.h5"), "wb") as file:
            file.write(b"no weights" * 100)
        arguments = ["stylize", *SAMPLES, "-o", "out.png", "--log", "run.jsonl"]
        self.fail_with(4, *arguments, "--weights", "bad.h5")
        self.fail_with(3, "stylize", "nowhere.png", *arguments[2:])
        with open(self.path("run.jsonl"), "rb") as file:
            self.assertEqual(file.read(), before)

    def test_log_that_cannot_be_opened(self):
        self.fail_with(6, *self.stylize_arguments("--log", "no/such/folder.jsonl"),
                       says="no/such/folder.jsonl")
        self.assertEqual(self.files(), [])

    def test_log_that_cannot_be_written(self):
        self.fail_with(6, *self.stylize_arguments("--iterations", "2", "--log", "/dev/full", "-q"),
                       says=["/dev/full", "incomplete"])
        self.assert_complete_picture("out.png")


if __name__ == "__main__":
    unittest.main()
