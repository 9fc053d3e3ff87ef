# SPDX-License-Identifier: MIT
"""sweep: what it makes, compares and refuses."""

import csv
import hashlib
import json
import os
import unittest
from pathlib import Path

import png
from harness import LIGHT, ProgramTest, weights

AXES = ("--axis", "style-weight=1,50", "--axis", "preset=trained,impasto")
NAMES = [f"style-weight={weight}_preset={preset}.png" for weight in (1, 50) for preset in ("trained", "impasto")]


class SweepTest(ProgramTest):
    options = ("--size", "48", "--iterations", "2", "-q")

    def arguments(self, *axes, content="sample:scene", output="out"):
        return ("sweep", content, "sample:painting", *axes, "-o", output, "--weights", weights(), *LIGHT, *self.options)

    def rows(self, folder="out"):
        with open(self.path(f"{folder}/scores.csv"), newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def digest(self, name):
        with open(self.path(name), "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()

    def test_each_value_with_each_as_stylize_and_score_have_them(self):
        self.succeed(*self.arguments(*AXES))
        rows = self.rows()
        self.assertEqual([row["output"] for row in rows], NAMES)
        self.assertEqual([(row["style-weight"], row["preset"]) for row in rows],
                         [("1", "trained"), ("1", "impasto"), ("50", "trained"), ("50", "impasto")])
        self.assertEqual(len({self.digest(f"out/{name}") for name in NAMES}), 4)
        own = ("--style-weight", "50", "--preset", "impasto", "--weights", weights(), *LIGHT)
        self.succeed("stylize", "sample:scene", "sample:painting", "-o", "alone.png", *own, *self.options)
        self.assertEqual(self.digest(f"out/{NAMES[-1]}"), self.digest("alone.png"))
        said = json.loads(self.succeed("score", "alone.png", "--content", "sample:scene", "--style", "sample:painting",
                                       *own).stdout)
        for name in ("loss", "content", "style", "tv"):
            self.assertAlmostEqual(float(rows[-1][name]), said[name], delta=1e-5 * abs(said[name]), msg=name)
        quality = said["quality"]
        self.assertAlmostEqual(float(rows[-1]["edge_ssim"]), quality["edge_ssim"], places=6)
        for layer, distance in quality["held_out_gram"].items():
            self.assertAlmostEqual(float(rows[-1][f"held_out_gram.{layer}"]), distance, places=5)

    def test_the_sheet_shows_inputs_and_results_in_their_places(self):
        self.succeed(*self.arguments("--axis", "style-weight=1,50", "--axis", "colors=style,luminance"))
        sheet = png.Picture(self.path("out/sheet.png"))
        self.assertEqual(sheet.width, 16 + 2 * (160 + 16))
        rows = sheet.rows()

        def tops(weight, colors, left):
            """Where in the sheet's column the whole result is."""
            result = png.Picture(self.path(f"out/style-weight={weight}_colors={colors}.png")).rows()
            shown = [bytes(row[3 * left : 3 * left + len(result[0])]) for row in rows]
            result = [bytes(row) for row in result]
            return [y for y in range(len(shown)) if shown[y : y + len(result)] == result]

        for colors, left in (("style", 16), ("luminance", 16 + 160 + 16)):
            (first,), (second,) = tops(1, colors, left), tops(50, colors, left)
            self.assertGreater(first, 48)  # below the inputs
            self.assertGreater(second, first + 24)
        captions = [row for row in rows[tops(50, "style", 16)[0] + 48 :] if set(row) != {255}]
        self.assertGreater(len(captions), 8)

    def test_an_interrupted_sweep_is_a_batch_that_goes_on(self):
        self.succeed(*self.arguments(*AXES))
        before = {name: self.digest(f"out/{name}") for name in (*NAMES, "sheet.png", "scores.csv")}
        os.remove(self.path("out/sheet.png"))
        os.remove(self.path("out/scores.csv"))
        lost = NAMES[1]
        os.remove(self.path(f"out/{lost}"))
        for record in Path(self.path("out/.impasto/done")).rglob("*.json"):
            if json.loads(record.read_text(encoding="utf-8"))["output"] == lost:
                record.unlink()
        self.assertEqual(self.run_program("status", "out").returncode, 3)
        self.succeed("resume", "out")
        self.assertEqual(self.digest(f"out/{lost}"), before[lost])
        self.succeed(*self.arguments(*AXES))
        self.assertEqual({name: self.digest(f"out/{name}") for name in before}, before)
        self.fail_with(2, *self.arguments("--axis", "style-weight=1,2"), says="other pictures")

    def test_what_fails_leaves_the_others_compared(self):
        png.write(self.path("square.png"), 48, 48, lambda x, y: (x, y, 9))  # not the content's shape
        self.fail_with(3, *self.arguments("--axis", "init=content,square.png"),
                       says=("1 of 2 items failed", "'impasto resume out --retry-failed' tries"))
        rows = self.rows()
        self.assertTrue(rows[0]["loss"])
        self.assertEqual((rows[1]["init"], rows[1]["loss"]), ("square.png", ""))
        self.assertTrue(os.path.exists(self.path("out/sheet.png")))

    def test_values_with_commas(self):
        self.succeed(*self.arguments("--axis", "style-layers=conv1_1;conv1_1,conv2_1"))
        self.assertEqual([row["style-layers"] for row in self.rows()], ["conv1_1", "conv1_1,conv2_1"])

    def test_refusals_name_the_axis_and_the_choices(self):
        for axis, says in (("stile-weight=1", ("--axis stile-weight=1", "expected ", "did you mean 'style-weight'?")),
                           ("preset=trained,monet", ("--axis preset=monet", "trained", "gatys")),
                           ("style-weight=1,x", ("--axis style-weight=x",)),
                           ("style-weight", ("--axis takes NAME=V,...",)),
                           ("style-weight=1,", ("--axis style-weight=1,", "empty")),
                           ("style-weight=1,1", ("'1' is there twice",)),
                           ("output=a,b", ("--axis output=a,b", "no option of the picture"))):
            result = self.fail_with(2, *self.arguments("--axis", axis))
            for text in says:
                self.assertIn(text, result.stderr)
        self.fail_with(2, *self.arguments("--axis", "size=48", "--axis", "size=50"), says="'size' is there twice")
        self.fail_with(2, *self.arguments("--axis", "size=48", output="none"), says="expected a folder")
        self.fail_with(2, *self.arguments(), says="an axis")
        self.assertFalse(os.path.exists(self.path("out")))

    def test_begins_with_the_look_of_a_picture(self):
        self.stylize("--tv-weight", "0.25")
        self.succeed("sweep", "sample:scene", "sample:painting", "--from", "out.png", "--axis", "seed=0,7", "-o", "folder",
                     "--weights", weights())
        names = [f"folder/{path.name}" for path in Path(self.path("folder")).glob("*.png")]
        self.assertEqual([self.digest(name) for name in names].count(self.digest("out.png")), 1)

    def test_its_own_files_overwrite_no_input(self):
        os.mkdir(self.path("out"))
        for name in ("sheet.png", "other.png"):
            png.write(self.path(f"out/{name}"), 48, 48, lambda x, y: (x, y, 9))
        before = self.digest("out/sheet.png")
        self.fail_with(2, *self.arguments("--axis", "size=48", content="out/sheet.png"), says="sheet.png")
        self.assertEqual(self.digest("out/sheet.png"), before)
        self.succeed(*self.arguments("--axis", "size=48", content="out/other.png"))


if __name__ == "__main__":
    unittest.main()
