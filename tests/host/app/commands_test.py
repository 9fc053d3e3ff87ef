# SPDX-License-Identifier: MIT
"""The smaller commands: score, activations, weights, devices, samples."""

import array
import json
import unittest

import png
from harness import LIGHT, ProgramTest, read_log, weights


def speckle(x, y):
    return tuple((x * a + y * b) * 257 * 3 % 65536 for a, b in ((5, 3), (2, 7), (11, 1)))


class ScoreTest(ProgramTest):
    def score(self, image, *more):
        result = self.succeed("score", image, "--weights", weights(), "--style", "sample:painting",
                              *LIGHT, *more)
        return json.loads(result.stdout)

    def test_agrees_with_the_log(self):
        # 16 bits per channel: the file holds the picture almost as the optimisation had it.
        png.write(self.path("in.png"), 48, 36, speckle, bits=16)
        self.stylize("--log", "run.jsonl", content="in.png")
        last = read_log(self.path("run.jsonl"))[-2]
        scored = self.score("out.png", "--content", "in.png")
        for key in ("loss", "content", "style", "tv"):
            self.assertAlmostEqual(scored[key] / last[key], 1, delta=1e-3, msg=key)
        for layer, value in last["style_layers"].items():
            self.assertAlmostEqual(scored["style_layers"][layer] / value, 1, delta=1e-3)

    def test_keys(self):
        scored = self.score("sample:scene", "--size", "48", "--content", "sample:scene")
        self.assertEqual(list(scored), ["loss", "content", "style", "tv", "content_layers",
                                        "style_layers", "quality"])
        self.assertEqual(scored["content"], 0)
        self.assertEqual(list(scored["style_layers"]), ["conv1_1", "conv2_1"])

    def test_several_styles_after_one_option(self):
        arguments = ("sample:scene", "--size", "48", "--content", "sample:scene")
        together = self.score(*arguments, "--style", "sample:scene", "sample:painting")
        apart = self.score(*arguments, "--style", "sample:scene", "--style", "sample:painting")
        self.assertEqual(together, apart)
        self.assertNotEqual(together, self.score(*arguments))

    def test_style_of_itself_is_free(self):
        scored = self.score("sample:painting", "--size", "48", "--content", "sample:painting")
        self.assertLess(scored["style"], 1e-6 * scored["tv"])


class ActivationsTest(ProgramTest):
    arguments = ("activations", "sample:scene", "--layer", "conv3_1", "--size", "16")

    def test_file(self):
        for name in ("b.h5", "a.h5"):
            result = self.succeed(*self.arguments, "-o", name, "--json", "--weights", weights())
        said = json.loads(result.stdout)
        self.assertEqual(said["shape"], [3, 4, 256])
        with open(self.path("a.h5"), "rb") as file:
            data = file.read()
        self.assertEqual(data[:8], b"\x89HDF\r\n\x1a\n")
        for text in (b"activation", b"layer", b"conv3_1", b"image", b"sample:scene", b"weights"):
            self.assertIn(text, data)
        with open(self.path("b.h5"), "rb") as file:
            self.assertEqual(data, file.read(), "two runs wrote different bytes")
        self.assertTrue(self.holds_values(data, said), "the values are not in the file")

    def holds_values(self, data, said):
        """Whether some stretch of the file, read as floats, is what the program said it wrote."""
        size = 4 * 3 * 4 * 256
        for offset in range(0, len(data) - size + 1, 8):
            values = array.array("f", data[offset : offset + size])
            if min(values) == said["min"] and max(values) == said["max"]:
                if abs(sum(values) / len(values) / said["mean"] - 1) < 1e-6:
                    return True
        return False

    def test_words(self):
        result = self.succeed(*self.arguments, "--weights", weights())
        self.assertRegex(result.stdout, r"^conv3_1: 3x4x256 .* min 0, mean .*, max .*\n$")
        self.assertEqual(self.files(), [])

    def test_pool_layer(self):
        result = self.succeed("activations", "sample:scene", "--layer", "pool1", "--size", "16",
                              "--json", "--weights", weights())
        self.assertEqual(json.loads(result.stdout)["shape"], [6, 8, 64])

    def test_mistakes(self):
        self.fail_with(2, "activations", "sample:scene", "--layer", "conv9_1", says="'conv9_1'")
        self.fail_with(6, *self.arguments, "-o", "no/a.h5", "--weights", weights(), says="no")
        self.assertEqual(self.files(), [])


class WeightsTest(ProgramTest):
    def test_inspect(self):
        said = self.succeed("weights", "inspect", weights()).stdout
        for text in ("conv1_1", "conv5_4", "built in"):
            self.assertIn(text, said)

    def test_mistakes(self):
        self.fail_with(4, "weights", "inspect", "nowhere.h5", says="nowhere.h5")
        self.fail_with(4, "weights", "convert", "nowhere.mat", "out.h5", says="nowhere.mat")
        self.fail_with(2, "weights", "convert", "a.pth", "out.h5", "--preparation", "bgr", says="caffe")
        self.fail_with(6, "weights", "generate", "no/out.h5", says="no/out.h5")
        self.fail_with(2, "weights", "generate", says="OUT")
        self.assertEqual(self.files(), [])


class DevicesTest(ProgramTest):
    def test_json(self):
        entries = {e["name"]: e for e in json.loads(self.succeed("devices", "--json").stdout)}
        self.assertTrue(entries["cpu"]["available"])
        self.assertIn("fp32", entries["cpu"]["precisions"])
        for entry in entries.values():
            self.assertEqual(entry["available"], entry["reason"] is None)

    def test_table(self):
        self.assertRegex(self.succeed("devices").stdout, r"(?m)^cpu +(winograd )?fp32")

    def test_backend_that_is_not_available(self):
        entries = json.loads(self.succeed("devices", "--json").stdout)
        missing = [e["name"] for e in entries if not e["available"]]
        if not missing:
            self.skipTest("every backend is available here")
        self.fail_with(5, *self.stylize_arguments("--device", missing[0]), says="impasto devices")

    def test_every_command_that_computes_takes_a_device(self):
        pictures = ("sample:scene", "--content", "sample:scene", "--style", "sample:painting")
        for command in (self.stylize_arguments(), ("score", *pictures), ("check",),
                        ("activations", "sample:scene", "--layer", "conv1_1")):
            option = "--backend" if command[0] == "check" else "--device"
            self.fail_with(5, *command, option, "cpu:1", says="has no device 1")
        activations = ("activations", "sample:scene", "--layer", "conv1_1", "--size", "16", "--json")
        shown = [self.succeed(*activations, "--weights", weights(), "--device", f"simt:{n}").stdout for n in (0, 1)]
        self.assertEqual(*shown)

    def test_a_number_is_that_of_a_gpu(self):
        """As one of --devices of a batch."""
        entries = {e["name"]: e for e in json.loads(self.succeed("devices", "--json").stdout)}
        says = "no device 99" if entries["cuda"]["available"] else entries["cuda"]["reason"]
        self.fail_with(5, *self.stylize_arguments("--device", "99"), says=["cuda", says])
        with_batch = ("batch", "sample:scene", "--styles", "sample:painting", "-o", "none", "--devices", "99")
        self.fail_with(5, *with_batch, says=["cuda", says])

    def test_every_device_is_listed_by_the_name_that_opens_it(self):
        table = self.succeed("devices").stdout
        for entry in json.loads(self.succeed("devices", "--json").stdout):
            for device in entry["devices"]:
                self.assertRegex(table, rf"(?m)^{device['name']} ")
                self.assertEqual(device["available"], device["device"] is not None)
        self.assertRegex(table, r"(?m)^simt:1 +fp32")

    def test_tuning_without_a_gpu(self):
        entries = {e["name"]: e for e in json.loads(self.succeed("devices", "--json").stdout)}
        if entries["cuda"]["available"]:
            self.skipTest("there is a GPU, and tuning takes its time")
        self.assertEqual(entries["cuda"]["details"], {})
        reason = entries["cuda"]["reason"]
        self.assertTrue(reason)
        cache = {"IMPASTO_CACHE_DIR": "cache"}
        self.fail_with(5, "devices", "--tune", "--size", "64", says=reason, env=cache)
        self.assertEqual(self.files(), [])

    def test_options_that_only_tuning_takes(self):
        self.fail_with(2, "devices", "--size", "64", says="--tune")
        self.fail_with(2, "devices", "--tune", "--json", says="--json")
        self.fail_with(2, "devices", "--tune", "--precision", "fp8", says="fp8")
        self.fail_with(2, "devices", "--device", "1", says="--tune")
        self.fail_with(2, "devices", "--tune", "--device", "cpu", says="--device cuda")
        self.succeed("devices", env={"IMPASTO_DEVICE": "cpu"})

    def test_no_plan_cache_is_a_switch_of_whatever_opens_a_backend(self):
        for command in ("stylize", "score", "activations", "check"):
            self.assertIn("--no-plan-cache", self.succeed(command, "--help").stdout)
        arguments = self.stylize_arguments("--dry-run")
        self.succeed(*arguments, env={"IMPASTO_NO_PLAN_CACHE": "true"})
        self.fail_with(2, *arguments, env={"IMPASTO_NO_PLAN_CACHE": "maybe"},
                       says="IMPASTO_NO_PLAN_CACHE")


class SamplesTest(ProgramTest):
    def test_files(self):
        result = self.succeed("samples", ".", "--size", "64")
        self.assertEqual(self.files(), ["painting.png", "scene.png"])
        self.assertEqual(len(result.stdout.splitlines()), 2)
        for name in self.files():
            self.assertEqual(png.Picture(self.path(name)).width, 64)


class ProgressTest(ProgramTest):
    def test_plain_lines(self):
        result = self.stylize(iterations=20)
        lines = [line for line in result.stderr.splitlines() if "/20 " in line]
        self.assertIn(len(lines), range(10, 13))
        self.assertNotIn("\x1b", result.stderr)
        self.assertNotIn("\r", result.stderr)
        self.assertEqual(result.stdout, "")
        for text in ("out.png", "Network", "Machine"):
            self.assertIn(text, result.stderr)

    def test_quiet(self):
        self.assertEqual(self.stylize("--quiet").stderr, "")

    def test_says_which_network(self):
        result = self.succeed("stylize", "sample:scene", "sample:painting", "-o", "out.png",
                              "--size", "32", "--iterations", "1")
        self.assertIn("impasto weights get", result.stderr)


if __name__ == "__main__":
    unittest.main()
