# SPDX-License-Identifier: MIT
"""--from: the settings of a picture, from its own file."""

import json
import os
import shutil
import unittest
import zlib
from pathlib import Path

import png
from harness import LIGHT, ProgramTest

# Settings of many kinds: a preset, numbers, words, lists, a switch between optimisers.
UNUSUAL = ("--preset", "gatys", "--optimizer", "adam", "--learning-rate", "3.25", "--rate-decay", "0.9", "--tv-weight",
           "0.001", "--style-weights", "0.7,0.30000000000000004", "--style-size", "40", "--pooling", "max", "--init", "mix",
           "--noise-ratio", "0.3", "--seed", "9", "--depth", "16", "--statistics-weight", "0.1", "--statistics-layers",
           "conv1_1:0.1", "--average", "0.5", "--precision", "winograd", "--colors", "luminance")


class RecipeTest(ProgramTest):
    def recipe(self, name):
        return json.loads(png.text(Path(self.path(name)).read_bytes())[1])

    def make(self, *more, output="out.png"):
        self.stylize(*more, output=output)
        return Path(self.path(output)).read_bytes()

    def again(self, picture, *more, output="again.png", style=("sample:painting",)):
        """Another picture from the recipe of one, with nothing else said but the files."""
        weights = self.stylize_arguments()[self.stylize_arguments().index("--weights") + 1]
        arguments = ["stylize", "sample:scene", *style, "-o", output, "--weights", weights, "--from", picture, *more]
        self.succeed(*arguments)
        return Path(self.path(output)).read_bytes()

    def arguments(self, *more):
        weights = self.stylize_arguments()[self.stylize_arguments().index("--weights") + 1]
        return ["stylize", "sample:scene", "sample:painting", "-o", "again.png", "--weights", weights, *more]

    def test_repeats_a_run_bit_for_bit_in_every_format(self):
        for extension in ("png", "jpg", "webp", "tif"):
            first = self.make(output="out." + extension)
            self.assertEqual(self.again("out." + extension, output="again." + extension), first, extension)

    def test_repeats_unusual_settings(self):
        styles = ("sample:painting", "sample:scene")
        self.succeed(*self.stylize_arguments("--iterations", 3, *UNUSUAL)[:3], "sample:scene",
                     *self.stylize_arguments("--iterations", 3, *UNUSUAL)[3:])
        first = Path(self.path("out.png")).read_bytes()
        self.assertEqual(self.again("out.png", style=styles), first)
        self.assertEqual(self.recipe("out.png")["config"]["style_weights"], [0.7, 0.30000000000000004])

    def test_a_flag_changes_that_and_nothing_else(self):
        first = self.make("--tv-weight", "0.25")
        for flag, key, value in (("--style-weight", "style_weight", 7), ("--iterations", "iterations", 2)):
            self.assertNotEqual(self.again("out.png", flag, value), first)
            was, now = self.recipe("out.png"), self.recipe("again.png")
            self.assertEqual(now["config"].pop(key), value)
            was["config"].pop(key)
            self.assertEqual(now, was)

    def test_the_environment_and_a_file_come_before_it(self):
        self.make()
        Path(self.path("c.toml")).write_text("iterations = 2\n", encoding="utf-8")
        self.succeed(*self.arguments("--from", "out.png", "--config", "c.toml"), env={"IMPASTO_SEED": "5"})
        config = self.recipe("again.png")["config"]
        self.assertEqual((config["iterations"], config["seed"], config["size"]), (2, 5, 48))

    def test_a_picture_that_was_begun_with_a_file_needs_it_again(self):
        png.write(self.path("start.png"), 48, 36, pixel=lambda x, y: (5 * x, 5 * y, 90))
        first = self.make("--init", "start.png")
        self.fail_with(2, *self.arguments("--from", "out.png"), says=("out.png", "--init FILE"))
        self.assertEqual(self.again("out.png", "--init", "start.png"), first)

    def test_a_picture_that_was_made_with_masks_needs_them_again(self):
        png.write(self.path("mask.png"), 48, 36, pixel=lambda x, y: (5 * x,) * 3)
        options = ("--optimizer", "adam", "--learning-rate", "0.1", "--normalize-gradients", "--stop-below", "0.001", "--stop-window", "7")
        first = self.make("--mask", "mask.png", "--style-mask", "mask.png", *options)
        self.fail_with(2, *self.arguments("--from", "out.png"), says=("out.png", "masks", "--mask FILE"))
        self.fail_with(2, *self.arguments("--from", "out.png", "--mask", "mask.png"), says="--style-mask FILE")
        self.assertEqual(self.again("out.png", "--mask", "mask.png", "--style-mask", "mask.png"), first)

    def test_a_picture_of_a_batch(self):
        png.write(self.path("in.png"), 48, 36, pixel=lambda x, y: (5 * x, 5 * y, 90))
        weights = self.stylize_arguments()[self.stylize_arguments().index("--weights") + 1]
        batch = ["batch", "in.png", "--styles", "sample:painting", "--weights", weights, "--size", "40", "--iterations", "2",
                 *LIGHT, "--name", "{stem}.png"]
        self.succeed(*batch, "-o", "plain")
        self.succeed("stylize", "in.png", "sample:painting", "-o", "again.png", "--weights", weights, "--from",
                     "plain/in.png")
        self.assertEqual(Path(self.path("again.png")).read_bytes(), Path(self.path("plain/in.png")).read_bytes())
        self.succeed(*batch, "-o", "rounded", "--bucket", "16")
        self.fail_with(2, *self.arguments("--from", "rounded/in.png"), says=("rounded/in.png", "bucket = 16"))

    def test_the_look_of_a_picture_for_a_batch(self):
        png.write(self.path("in.png"), 48, 36, pixel=lambda x, y: (5 * x, 5 * y, 90))
        first = self.make("--tv-weight", "0.25", "--pooling", "max")
        weights = self.stylize_arguments()[self.stylize_arguments().index("--weights") + 1]
        batch = ["batch", "in.png", "sample:scene", "--styles", "sample:painting", "--weights", weights, "--name", "{stem}.png"]
        self.succeed(*batch, "-o", "like", "--from", "out.png")
        self.assertEqual(Path(self.path("like/scene.png")).read_bytes(), first)
        # The run knows the settings by itself.
        Path(self.path("out.png")).unlink()
        Path(self.path("like/in.png")).unlink()
        self.succeed("resume", "like")
        # Of a picture that a batch has rounded as well, and with an option on top.
        self.succeed(*batch, "-o", "rounded", "--from", "like/scene.png", "--bucket", "16")
        self.succeed(*batch, "-o", "again", "--from", "rounded/in.png")
        self.succeed(*batch, "-o", "other", "--from", "rounded/in.png", "--seed", "5", "--tv-weight", "2")
        rounded = Path(self.path("rounded/in.png")).read_bytes()
        self.assertEqual(Path(self.path("again/in.png")).read_bytes(), rounded)
        self.assertNotEqual(Path(self.path("other/in.png")).read_bytes(), rounded)
        published = os.path.join(os.path.dirname(weights), "published.h5")
        self.fail_with(4, "batch", "in.png", "--styles", "sample:painting", "--weights", published, "-o", "none", "--from", "rounded/in.png",
                       says=("rounded/in.png", "another network"))

    def test_says_what_is_wrong(self):
        png.write(self.path("plain.png"), 40, 40, pixel=lambda x, y: (x, y, 9))
        self.fail_with(3, *self.arguments("--from", "plain.png"), says=("plain.png", "no recipe"))
        self.fail_with(3, *self.arguments("--from", "no.png"), says="no.png")
        self.make()
        self.fail_with(2, *self.arguments("--from", "out.png", "--preset", "gatys"), says=("--from", "--preset"))
        self.fail_with(2, *self.stylize_arguments("--from", "out.png"), says="out.png")  # it would be overwritten
        before = self.files()
        for change, code, says in (
            (lambda recipe: recipe.update(impasto="0.0.1"), 2, ("old.png", "impasto 0.0.1")),
            (lambda recipe: recipe.update(backend="abacus"), 2, ("old.png", "abacus")),
            (lambda recipe: recipe["network"].update(description="VGG-12"), 4, ("old.png", "VGG-12", "--weights")),
            (lambda recipe: recipe["config"].update(beta1=0.5), 2, ("old.png", "beta1 = 0.5")),
            (lambda recipe: recipe["config"].update(size="much"), 2, ("old.png", "--size", "much")),
            (lambda recipe: recipe["config"].update(init="/etc/passwd"), 2, ("old.png", "/etc/passwd")),
            (lambda recipe: recipe.pop("config"), 3, ("old.png", "no recipe")),
        ):
            recipe = self.recipe("out.png")
            change(recipe)
            self.rewrite("old.png", json.dumps(recipe))
            self.fail_with(code, *self.arguments("--from", "old.png"), says=says)
        self.assertEqual(self.files(), sorted([*before, "old.png"]))

    def test_a_backend_that_is_not_here(self):
        self.make()
        recipe = self.recipe("out.png")
        recipe.update(backend="cuda:99", precision="bf16")
        self.rewrite("far.png", json.dumps(recipe))
        self.fail_with(5, *self.arguments("--from", "far.png"), says=("far.png", "cuda:99"))
        self.again("far.png", "--device", "cpu", "--precision", "auto")

    def rewrite(self, name, comment):
        """The picture out.png with another comment."""
        data = Path(self.path("out.png")).read_bytes()
        chunks = [(kind, body) for kind, body in png.chunks(data)]
        made = b"\x89PNG\r\n\x1a\n"
        for kind, body in chunks:
            if kind in png.TEXTS:
                kind, body = b"zTXt", b"Comment\0\0" + zlib.compress(comment.encode())
            made += png.chunk(kind, body)
        Path(self.path(name)).write_bytes(made)


if __name__ == "__main__":
    unittest.main()
