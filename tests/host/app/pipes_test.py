# SPDX-License-Identifier: MIT
"""'-' is a picture on standard input or the result on standard output, where nothing else goes."""

import json
import os
import pty
import subprocess
import unittest
from pathlib import Path

import png
from harness import PROGRAM, ProgramTest, environment, weights


class PipesTest(ProgramTest):
    def setUp(self):
        super().setUp()
        png.write(self.path("in.png"), 48, 36, pixel=lambda x, y: (5 * x, 7 * y, 90))
        self.photo = Path(self.path("in.png")).read_bytes()

    def pipe(self, *arguments, data=None, code=0, says="", **options):
        """What a run says on standard output and standard error."""
        result = subprocess.run([PROGRAM, *map(str, arguments)], cwd=self.folder, env=environment(), check=False,
                                input=self.photo if data is None else data, timeout=120,
                                stdout=options.pop("stdout", subprocess.PIPE), stderr=subprocess.PIPE, **options)
        messages = result.stderr.decode()
        self.assertEqual(result.returncode, code, messages)
        self.assertIn(says, messages)
        return result.stdout, messages

    def arguments(self, *more, **pictures):
        return self.stylize_arguments("--iterations", "3", *more, **pictures)

    def test_from_standard_input_to_standard_output(self):
        self.pipe(*self.arguments(content="in.png"))
        result, messages = self.pipe(*self.arguments(content="-", output="-"))
        self.assertEqual(result, Path(self.path("out.png")).read_bytes())
        self.assertIn("Wrote standard output (48x36)", messages)
        self.assertEqual(self.files(), ["in.png", "out.png"])

    def test_any_picture_may_come_from_standard_input(self):
        for name, more, pictures in (("style", (), {"style": "in.png"}), ("init", ("--init", "in.png"), {}),
                                     ("mask", ("--mask", "in.png"), {})):
            expected, _ = self.pipe(*self.arguments(*more, output="-", **pictures))
            more = ["-" if word == "in.png" else word for word in more]
            found, _ = self.pipe(*self.arguments(*more, output="-", **{key: "-" for key in pictures}))
            self.assertEqual(found, expected, name)

    def test_other_commands_read_it_too(self):
        score = ("score", "in.png", "--content", "in.png", "--style", "sample:painting", "--weights", weights(),
                 "--content-layers", "conv2_1", "--style-layers", "conv1_1")
        expected, _ = self.pipe(*score)
        found, _ = self.pipe(*["-" if i == 1 else word for i, word in enumerate(score)])
        self.assertEqual(json.loads(found), json.loads(expected))
        shown, _ = self.pipe("activations", "-", "--layer", "conv1_1", "--weights", weights())
        self.assertIn(b"conv1_1: 36x48x64", shown)

    def test_the_other_outputs_stay_files(self):
        result, _ = self.pipe(*self.arguments("--log", "run.jsonl", "--report", "r.html", "--sheet", "s.png",
                                              content="-", output="-"))
        self.assertTrue(result.startswith(b"\x89PNG"))
        self.assertEqual(self.files(), ["in.png", "r.html", "run.jsonl", "s.png"])
        self.assertIn("--output -", Path(self.path("r.html")).read_text(encoding="utf-8"))

    def test_one_picture_only(self):
        for arguments in (self.arguments(content="-", style="-"), self.arguments("--mask", "-", content="-"),
                          self.arguments("--init", "-", style="-")):
            self.pipe(*arguments, code=2, says="standard input can be read once: '-' is given for ")
        self.pipe("batch", "--list", "-", "--manifest", "-", "-o", "out", code=2, says="--list and for --manifest")

    def test_nothing_else_goes_to_standard_output(self):
        for more in (("--json",), ("--save-every", "1"), ("--log", "/dev/stdout")):
            self.pipe(*self.arguments(*more, output="-"), code=2, says=more[0] if more[0] != "--log" else "/dev/stdout")
        for option in ("--sheet", "--report", "--film", "--checkpoint"):
            self.pipe(*self.arguments(option, "-"), code=2, says=f"{option} takes a file, not '-'")

    def test_a_plan_is_no_picture(self):
        plan, _ = self.pipe(*self.arguments("--dry-run", content="-", output="-"))
        self.assertIn("standard output (48x36)", plan.decode())

    def test_what_is_no_picture(self):
        self.pipe(*self.arguments(content="-", output="-"), data=b"", code=3, says="standard input: it is empty")
        self.pipe(*self.arguments(content="-", output="-"), data=b"no picture", code=3, says="standard input")
        self.pipe(*self.arguments(content="-", output="-"), data=self.photo[:200], code=3, says="standard input")

    def test_a_terminal_is_neither(self):
        leader, follower = pty.openpty()
        self.addCleanup(os.close, leader)
        self.addCleanup(os.close, follower)
        self.pipe(*self.arguments(output="-"), stdout=follower, code=2, says="standard output is a terminal")
        result = self.run_program(*self.arguments(content="-"), stdin=follower)
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertIn("standard input is a terminal", result.stderr)

    def test_a_reader_that_went_away(self):
        read_end, write_end = os.pipe()
        os.close(read_end)
        self.pipe(*self.arguments(output="-"), stdout=write_end, code=6, says="standard output: cannot write")
        os.close(write_end)

    def test_many_pictures_are_files(self):
        self.pipe("sweep", "-", "sample:painting", "--axis", "seed=1,2", "-o", "out", code=2, says="expected files")
        self.pipe("batch", "-", "--styles", "sample:painting", "-o", "out", code=3, says="'-'")
        self.pipe("batch", "in.png", "--styles", "sample:painting", "--mask", "-", "-o", "out", code=3, says="--mask")


if __name__ == "__main__":
    unittest.main()
