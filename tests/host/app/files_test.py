# SPDX-License-Identifier: MIT
"""No command destroys what it reads, or one of its outputs by another: exit 2, nothing touched."""

import os
import shutil
import subprocess
import unittest

import png
from harness import LIGHT, PROGRAM, ProgramTest, environment, weights


class OverwritingTest(ProgramTest):
    """A folder with two pictures, a weight file and a configuration file."""

    def setUp(self):
        super().setUp()
        self.succeed("samples", ".", "--size", "48")
        os.rename(self.path("scene.png"), self.path("photo.png"))
        shutil.copy(weights(), self.path("w.h5"))
        with open(self.path("c.toml"), "w", encoding="utf-8") as file:
            file.write("iterations = 3\n")
        os.mkdir(self.path("sub"))

    def contents(self):
        found = {}
        for name in self.files():
            path = self.path(name)
            if os.path.islink(path):
                found[name] = os.readlink(path)
            elif os.path.isfile(path):
                with open(path, "rb") as file:
                    found[name] = file.read()
        return found

    def refuse(self, *arguments, says="", env=None):
        before = self.contents()
        self.fail_with(2, *arguments, says=says, env=env or {})
        self.assertEqual(self.contents(), before)

    def stylize_refuses(self, *more, content="photo.png", style="painting.png", output="out.png",
                        says="", env=None):
        self.refuse("stylize", content, style, "-o", output, "--size", "48", *LIGHT,
                    "--iterations", "3", *more, says=says, env=env)

    def spellings(self, name):
        os.symlink(name, self.path("link-" + name))
        os.symlink(self.folder, self.path("here"))
        return [name, "./" + name, "sub/../" + name, self.path(name), "link-" + name,
                "here/" + name]

    def test_the_log_is_an_input(self):
        os.link(self.path("w.h5"), self.path("hard.jsonl"))
        self.stylize_refuses("--weights", "w.h5", "--log", "hard.jsonl", says="is an input")
        for log in self.spellings("w.h5"):
            self.stylize_refuses("--weights", "w.h5", "--log", log, says="is an input")
            self.stylize_refuses("--log", log, env={"IMPASTO_WEIGHTS": "w.h5"})
            self.stylize_refuses("--weights", "w.h5", env={"IMPASTO_LOG": log})

    def test_the_log_is_the_configuration(self):
        for log in self.spellings("c.toml"):
            self.stylize_refuses("--config", "c.toml", "--log", log, says="is an input")
        with open(self.path("c.toml"), "w", encoding="utf-8") as file:
            file.write('log = "c.toml"\n')
        self.stylize_refuses("--config", "c.toml", says="is an input")

    def test_the_result_is_an_input(self):
        for output in self.spellings("photo.png"):
            self.stylize_refuses(output=output, says="is an input")
            self.stylize_refuses("--sheet", output, says="is an input")
            self.stylize_refuses("--init", "photo.png", content="sample:scene", output=output)
        self.stylize_refuses(output="painting.png", says="is an input")
        os.rename(self.path("w.h5"), self.path("w.png"))
        self.stylize_refuses("--weights", "w.png", output="w.png", says="is an input")
        os.rename(self.path("c.toml"), self.path("c.png"))
        self.stylize_refuses("--config", "c.png", output="c.png", says="is an input")

    def test_a_snapshot_is_an_input(self):
        shutil.copy(self.path("photo.png"), self.path("out_0002.png"))
        every = ("--save-every", "2")
        self.stylize_refuses(*every, "--init", "out_0002.png", says="out_0002.png")
        self.stylize_refuses(*every, content="out_0002.png", says="out_0002.png")
        self.stylize_refuses(*every, style="./out_0002.png", says="out_0002.png")
        self.stylize_refuses(content="out_0002.png", env={"IMPASTO_SAVE_EVERY": "2"})

    def test_a_snapshot_is_a_link_to_an_input(self):
        os.symlink("photo.png", self.path("out_0002.png"))
        self.stylize_refuses("--save-every", "2", says="photo.png")
        self.stylize_refuses("--save-every", "2", content="out_0002.png", says="out_0002.png")

    def test_a_snapshot_that_will_not_be_written_may_be_an_input(self):
        shutil.copy(self.path("photo.png"), self.path("out_0003.png"))
        before = self.contents()["out_0003.png"]
        self.succeed("stylize", "out_0003.png", "painting.png", "-o", "out.png", "--size", "48", *LIGHT,
                     "--iterations", "3", "--save-every", "2", "--weights", "w.h5", "-q")
        self.assertEqual(self.contents()["out_0003.png"], before)

    def test_two_outputs_of_one_name(self):
        os.symlink("out.png", self.path("dangling.png"))
        for sheet in ("out.png", "./out.png", "sub/../out.png", self.path("out.png"), "dangling.png"):
            self.stylize_refuses("--sheet", sheet, says="one file")
        self.stylize_refuses("--log", "out.png", says="one file")
        self.stylize_refuses("--sheet", "s.png", "--log", "s.png", says="one file")
        self.stylize_refuses("--sheet", "out_0001.png", "--save-every", "1", says="one file")
        self.stylize_refuses("--log", "out_0001.png", "--save-every", "1", says="one file")

    def test_activations(self):
        layer = ("--layer", "conv1_1")
        os.rename(self.path("photo.png"), self.path("photo.h5"))
        self.refuse("activations", "photo.h5", *layer, "-o", "photo.h5", says="is an input")
        for output in self.spellings("w.h5"):
            self.refuse("activations", "painting.png", *layer, "-o", output, "--weights", "w.h5",
                        says="is an input")
        os.rename(self.path("c.toml"), self.path("c.h5"))
        self.refuse("activations", "painting.png", *layer, "-o", "c.h5", "--config", "c.h5",
                    says="is an input")

    def test_weights(self):
        for output in self.spellings("w.h5"):
            self.refuse("weights", "convert", "w.h5", output, says="is an input")

    def test_samples(self):
        os.rename(self.path("c.toml"), self.path("scene.png"))
        self.refuse("samples", ".", "--config", "scene.png", says="is an input")

    def test_extensions_of_other_formats(self):
        self.stylize_refuses("--log", "w.h5", says="w.h5")
        self.stylize_refuses("--log", "new.png", says=".jsonl")
        self.stylize_refuses(output="w.h5", says=".png")
        self.stylize_refuses("--sheet", "sheet.gif", says="sheet.gif")
        self.refuse("activations", "painting.png", "--layer", "conv1_1", "-o", "photo.png", says=".h5")
        self.refuse("weights", "generate", "photo.png", says=".h5")
        self.refuse("weights", "convert", "w.h5", "photo.png", says=".h5")

    def test_the_log_is_where_stdout_goes(self):
        with open(self.path("said.jsonl"), "w", encoding="utf-8") as said:
            result = subprocess.run(
                [PROGRAM, *self.stylize_arguments("--log", "/dev/stdout", "--json")], cwd=self.folder,
                env=environment(), stdout=said, stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertIn("standard output", result.stderr)


class UnwritableTest(ProgramTest):
    """What cannot be written is noticed before the work: the log of the run is not even begun."""

    def refuse(self, *more, says, code=6, **options):
        before = self.files()
        self.fail_with(code, *self.stylize_arguments("--log", "run.jsonl", *more, **options), says=says)
        self.assertEqual(self.files(), before)

    def test_names_that_are_too_long(self):
        self.refuse(output="x" * 252 + ".png", says="too long")
        self.refuse("--sheet", "x" * 252 + ".png", says="too long")
        self.refuse("--save-every", "1", "--iterations", "3", output="x" * 248 + ".png", says="too long")
        self.fail_with(6, "activations", "sample:scene", "--layer", "conv1_1", "-o", "x" * 300 + "/a.h5",
                       says="x")
        self.fail_with(6, "activations", "sample:scene", "--layer", "conv1_1", "-o", "x" * 300 + ".h5",
                       says="too long")

    def test_what_is_no_file(self):
        os.mkfifo(self.path("pipe.png"))
        os.symlink("/dev/full", self.path("device.png"))
        os.mkdir(self.path("out_0001.png"))
        for name in ("pipe.png", "device.png", "out_0001.png"):
            self.refuse(output=name, says=name)
            self.refuse("--sheet", name, says=name)
        os.mkfifo(self.path("pipe.h5"))
        self.fail_with(6, "activations", "sample:scene", "--layer", "conv1_1", "-o", "pipe.h5",
                       says="not a regular file")
        self.fail_with(6, "weights", "generate", "pipe.h5", says="not a regular file")

    def test_a_snapshot_that_is_a_folder(self):
        os.mkdir(self.path("out_0001.png"))
        self.refuse("--save-every", "1", "--iterations", "3", says="out_0001.png")

    def test_folders_of_the_system(self):
        for name in ("/proc/x.png", "/sys/x.png"):
            self.refuse(output=name, says=name)

    def test_pictures_larger_than_their_format(self):
        # WebP holds 16383 pixels a side; a sheet is three pictures wide.
        png.write(self.path("wide.png"), 40, 1, lambda x, y: (x, 0, 0))
        run = ("stylize", "wide.png", "wide.png", "--style-size", "16", "--log", "run.jsonl")
        for more in (("-o", "out.webp", "--size", "16400"),
                     ("-o", "out.webp", "--size", "16400", "--dry-run"),
                     ("-o", "out.png", "--size", "9000", "--sheet", "out.webp")):
            self.fail_with(6, *run, *more, says=["out.webp", "16383"])
            self.assertEqual(self.files(), ["wide.png"])

    def test_write_protected_file(self):
        png.write(self.path("out.png"), 2, 2, lambda x, y: (0, 0, 0))
        os.chmod(self.path("out.png"), 0o444)
        self.refuse(says="write-protected")

    def test_a_link_whose_target_is_in_a_missing_folder(self):
        os.symlink("no/where.png", self.path("link.png"))
        self.refuse(output="link.png", says="link.png")

    def test_a_dangling_link_gets_its_target(self):
        os.symlink("target.png", self.path("link.png"))
        self.stylize(iterations=1, output="link.png")
        self.assertTrue(os.path.islink(self.path("link.png")))
        self.assert_complete_picture("target.png")

    def test_a_loop_of_links(self):
        os.symlink("loop.png", self.path("loop.png"))
        self.refuse(output="loop.png", says="loop.png")

    def test_somebody_elses_file_in_a_sticky_folder(self):
        if os.geteuid() != 0:
            self.skipTest("needs a file that belongs to somebody else")
        os.chmod(self.folder, 0o1777)
        png.write(self.path("out.png"), 2, 2, lambda x, y: (0, 0, 0))
        os.chmod(self.path("out.png"), 0o666)
        try:
            self.fail_with(6, *self.stylize_arguments(), says="not permitted", user=65534, group=65534)
        except PermissionError:
            self.skipTest("another user may not run the program")
        self.assertEqual(self.files(), ["out.png"])


if __name__ == "__main__":
    unittest.main()
