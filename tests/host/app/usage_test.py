# SPDX-License-Identifier: MIT
"""What the program says to a command line that makes no sense."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import unittest

import png
from harness import PROGRAM, ProgramTest, environment


class UsageTest(ProgramTest):
    def refuse(self, *more, says, code=2):
        arguments = ["stylize", "sample:scene", "sample:painting", "-o", "out.png", *more]
        self.fail_with(code, *arguments, says=says)
        self.assertEqual(self.files(), [])

    def test_no_command(self):
        self.fail_with(2, says=["needs a command", "stylize"])

    def test_unknown_command(self):
        self.fail_with(2, "stylise", "a", "b", says=["'stylise'", "did you mean 'stylize'?"])
        self.fail_with(2, "weights", "convrt", says=["'convrt'", "did you mean 'convert'?"])
        self.fail_with(2, "weights", says=["needs a command", "inspect"])

    def test_unknown_option(self):
        self.refuse("--stlye-weight", "3", says=["'--stlye-weight'", "mean '--style-weight'?"])
        self.refuse("--stlye-weight=3", says=["'--stlye-weight'", "mean '--style-weight'?"])
        self.refuse("--frobnicate", says=["'--frobnicate'", "impasto stylize --help"])

    def test_options_that_other_programs_have(self):
        for option, own in (("--image-size", "--size"), ("--image_size=512", "--size"),
                            ("--num_iterations", "--iterations"), ("--style-scale", "--style-size"),
                            ("--backend", "--device"), ("--gpu=0", "--device")):
            self.fail_with(2, *self.stylize_arguments(option, "512"), says=f"did you mean '{own}'?")
        self.fail_with(2, "batch", "--backend", "gpu", says="did you mean '--devices'?")
        self.fail_with(2, "check", "--image-size", "512", says="check --help")

    def test_option_without_value(self):
        self.refuse("--size", says="--size")

    def test_option_twice(self):
        self.refuse("--size", "48", "--size", "64", says=["--size is given 2 times", "'64'"])

    def test_numbers(self):
        for flag in ("--size", "--style-size", "--iterations", "--seed", "--save-every"):
            for value in ("abc", "1.5", "-1", "12x", "", "99999999999999999999"):
                self.refuse(flag, value, says=[flag, "whole number", f"'{value}'"])
        self.refuse("--size", "15", says="from 16 to 32768, not '15'")
        self.refuse("--seed", "18446744073709551615", says="from 0 to 9223372036854775807")
        self.refuse("--save-every", "0", says="takes a whole number, 1 or more, not '0'")
        for flag in ("--content-weight", "--style-weight", "--tv-weight", "--learning-rate"):
            for value in ("abc", "-1", "nan", "inf", "1e999", ""):
                self.refuse(flag, value, says=[flag, "takes a number", f"'{value}'"])
        self.refuse("--learning-rate", "0", says="greater than 0")

    def test_words(self):
        self.refuse("--preset", "courseera", says=["--preset", "did you mean 'coursera'?"])
        self.refuse("--pooling", "mean", says=["--pooling takes avg, max, l2 or max-blur, not 'mean'"])
        self.refuse("--device", "cpuu", says=["--device", "did you mean 'cpu'?", "auto, ", "reference"])
        self.refuse("--device", "cpuu:0", says=["--device", "did you mean 'cpu'?"])
        for device in ("all", "-1", ""):
            self.refuse("--device", device, says=["--device takes auto, ", "or the number of a GPU", f"'{device}'"])
        for device in ("cpu:", "cpu:x", "cpu:-1"):
            self.refuse("--device", device, says=["--device", "number of a device", f"'{device}'"])
        self.refuse("--precision", "fp64", says=["--precision", "'fp64'"])

    def test_layers(self):
        self.refuse("--style-layers", "conv4_9", says=["--style-layers", "'conv4_9'", "did you mean"])
        self.refuse("--content-layers", "conv4_2:x", says=["--content-layers", "'x'"])
        self.refuse("--content-layers", "conv4_2:-1", says=["--content-layers", "'-1'"])
        self.refuse("--style-layers", "conv1_1,conv1_1", says="conv1_1")
        self.refuse("--style-layers", "conv1_1,,conv2_1", says="--style-layers")

    def test_layers_that_switch_a_loss_off(self):
        for flag in ("--style-layers", "--content-layers"):
            for layers in ("", " ", "conv1_1:0", "conv1_1:0,conv2_1:0"):
                self.refuse(flag, layers, says=[flag, "-weight 0"])
        with open(self.path("run.toml"), "w", encoding="utf-8") as file:
            file.write("style-layers = []\n")
        self.fail_with(2, "stylize", "sample:scene", "sample:painting", "-o", "out.png", "--config",
                       "run.toml", says=["run.toml", "--style-layers"])

    def test_an_empty_text_is_not_the_default(self):
        """As of a script's variable that is not set."""
        for flag in ("--log", "--sheet", "--config", "--init", "--weights"):
            self.refuse(flag, "", says=flag)
        self.fail_with(2, "activations", "sample:scene", "--layer", "conv1_1", "-o", "", says="--output")
        self.fail_with(2, "weights", "get", "", says="NAME")
        self.fail_with(2, "weights", "get", "vgg19", "--url", "", says="--url")
        for flag in ("--list", "--manifest", "--run", "--log", "--metrics", "--name", "--devices", "--shard", "--styles"):
            self.fail_with(2, "batch", "sample:scene", "--styles", "sample:painting", "-o", "out", flag, "", says=flag)
        with open(self.path("run.toml"), "w", encoding="utf-8") as file:
            file.write('log = ""\n')
        self.fail_with(2, "stylize", "sample:scene", "sample:painting", "-o", "out.png", "--config", "run.toml",
                       says=["run.toml", "--log"])
        self.assertEqual(self.files(), ["run.toml"])

    def test_weights_that_float32_cannot_square(self):
        for value in ("1e16", "1e38", "1e308"):
            for flag in ("--style-weight", "--content-weight", "--tv-weight"):
                self.refuse(flag, value, says=[flag, "up to 1e+15"])
            self.refuse("--style-layers", f"conv1_1:{value}", says=["--style-layers", "1e+15"])

    def test_nothing_to_minimise(self):
        self.refuse("--content-weight", "0", "--style-weight", "0", "--tv-weight", "0", says="weight")

    def test_missing_pictures(self):
        self.fail_with(2, "stylize", says=["a content picture", "sample:scene"])
        self.fail_with(2, "stylize", "sample:scene", "-o", "out.png", says="a style picture")
        self.fail_with(2, "stylize", "sample:scene", "sample:painting", says="-o")
        self.fail_with(2, "stylize", "sample:scne", "sample:painting", "-o", "out.png",
                       says="did you mean 'sample:scene'?")
        self.fail_with(2, "score", "sample:scene", says="--content")
        self.fail_with(2, "activations", "sample:scene", says="--layer")
        self.fail_with(2, "samples", says="folder")

    def test_output_extension(self):
        for name in ("out", "out.gif", "out.bmp", ".png/"):
            result = self.run_program("stylize", "sample:scene", "sample:painting", "-o", name)
            self.assertIn(result.returncode, (2, 6), result.stderr)
            self.assertIn(name, result.stderr)
        self.refuse("--sheet", "sheet.gif", says="sheet.gif")

    def test_output_is_an_input(self):
        self.succeed("samples", ".", "--size", "48")
        before = self.files()
        self.fail_with(2, "stylize", "scene.png", "painting.png", "-o", "./scene.png",
                       says=["scene.png", "is an input"])
        self.fail_with(2, "stylize", "scene.png", "painting.png", "-o", "out.png", "--log",
                       "painting.png", says=["painting.png", "is an input"])
        self.assertEqual(self.files(), before)

    def test_initial_picture_of_another_shape(self):
        self.fail_with(3, "stylize", "sample:scene", "sample:painting", "-o", "out.png", "--size", "48",
                       "--init", self.tall(), says=["tall.png", "shape", "--init takes content"])
        os.remove(self.path("tall.png"))
        self.refuse("--init", "Random", code=3, says=["'Random'", "--init takes content, recoloured, style-statistics, random, mix"])

    def tall(self):
        png.write(self.path("tall.png"), 20, 60, lambda x, y: (x, y, 0))
        return "tall.png"

    def test_word_too_many(self):
        self.fail_with(2, "devices", "all", says="does not expect 'all'")


class HelpTest(ProgramTest):
    def test_version(self):
        first, *about = self.succeed("--version").stdout.splitlines()
        self.assertRegex(first, r"^impasto \d+\.\d+\.\d+$")
        said = dict(line.split(None, 1) for line in about)
        self.assertRegex(said["commit"], r"^([0-9a-f]{12}(, with changes)?$|unknown)")
        for name in ("cuda", "cpu", "simt", "reference"):
            self.assertIn(name, said["backends"])
        for name in ("oneDNN", "libvips", "HDF5", "libcurl"):
            self.assertRegex(said["cpu"] + said["libraries"], name + r" \d+\.\d+")

    def test_every_command_has_help(self):
        commands = [["stylize"], ["score"], ["activations"], ["samples"], ["devices"], ["weights"],
                    ["weights", "convert"], ["weights", "inspect"], ["weights", "generate"], []]
        for command in commands:
            result = self.succeed(*command, "--help")
            self.assertIn("Usage: " + " ".join(["impasto", *command]), result.stdout)
            self.assertEqual(result.stderr, "")
            for line in result.stdout.splitlines():
                self.assertLessEqual(len(line), 100, line)

    def test_help_wins_over_missing_arguments(self):
        self.succeed("stylize", "--size", "48", "--help")


class ProgressTest(ProgramTest):
    def test_a_line_has_room_for_the_bar_in_80_columns(self):
        outer, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        process = subprocess.Popen([PROGRAM, *map(str, self.stylize_arguments("--iterations", 100000))], cwd=self.folder,
                                   env=environment(TERM="xterm", NO_COLOR="1", LC_ALL="C"), stderr=inner)
        os.close(inner)
        drawn = b""
        while drawn.count(b"ETA") < 3:
            drawn += os.read(outer, 4096)
        process.terminate()
        process.wait()
        os.close(outer)
        lines = [line for line in re.split(r"\r|\x1b\[K|\n", drawn.decode()) if "ETA" in line][:2]
        for line in lines:
            self.assertRegex(line, r"^[#.]{5,}  +\d+/100000  \S+ it/s  ETA [\d:]+  loss \S+$")
            self.assertLess(len(line), 80)

    def test_the_summary_fits_80_columns(self):
        lines = self.stylize().stderr.splitlines()
        self.assertIn("Wrote out.png (48x36)", lines)
        self.assertRegex("\n".join(lines), r"(?m)^Run      3 iterations in \S+ s, \S+ it/s, loss \S+ to \S+$")
        for line in lines:
            if not line.startswith(("Network", "Machine")):  # what they say is not ours
                self.assertLessEqual(len(line), 72, line)

    def test_gpu_is_another_word_for_cuda(self):
        for suffix in ("", ":99"):
            said = [self.run_program(*self.stylize_arguments("--dry-run", "--device", name + suffix)) for name in ("gpu", "cuda")]
            self.assertEqual(said[0].returncode, said[1].returncode)
            self.assertEqual(said[0].stderr, said[1].stderr)
        self.fail_with(5, *self.stylize_arguments("--device", "gpu:99"), says="cuda")


if __name__ == "__main__":
    unittest.main()
