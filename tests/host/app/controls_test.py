# SPDX-License-Identifier: MIT
"""Every control changes the picture, and refuses what makes no sense."""

import json
import unittest
import zlib

import png
from harness import LIGHT, SAMPLES, ProgramTest, weights

ADAM = ("--optimizer", "adam")


class ControlsTest(ProgramTest):
    def pixels(self, *options, styles=("sample:painting",)):
        """The pixels that a short run gives, packed as in the file."""
        result = self.run_program("stylize", "sample:scene", *styles, "-o", "out.png", "--size", "48", "--iterations",
                                  "4", "--scales", "1", "--init", "mix", *LIGHT, "--weights", weights(), *options)
        self.assertIn(result.returncode, (0, 7), result.stderr)  # 7: normalised gradients may let the loss rise
        with open(self.path("out.png"), "rb") as file:
            return [body for kind, body in png.chunks(file.read()) if kind == b"IDAT"]

    def config(self, *options):
        # A plan measures; one thread waits for no other on a busy machine.
        result = self.succeed("stylize", *SAMPLES, "-o", "out.png", "--dry-run", "--json", *options,
                              env={"OMP_NUM_THREADS": "1"})
        return json.loads(result.stdout)["config"]

    def test_each_changes_the_picture(self):
        plain = self.pixels()
        slow = (*ADAM, "--learning-rate", "0.5")
        for options in (("--statistics-weight", "3"), ("--content-relu", "before"), ("--style-relu", "before"),
                        ("--tv-form", "absolute"), ("--tv-form", "means", "--tv-weight", "100"),
                        ("--tv-form", "power", "--tv-weight", "0.1"), ("--tv-form", "nine-point", "--tv-weight", "100"),
                        ("--optimizer", "descent", "--learning-rate", "0.5"), ADAM, (*slow, "--rate-decay", "0.5"),
                        (*slow, "--normalize-gradients"), ("--style-octaves", "2"), ("--pooling", "l2"),
                        (*slow, "--decorrelate"),
                        ("--noise-ratio", "0.3"), ("--noise-amplitude", "5")):
            self.assertNotEqual(self.pixels(*options), plain, options)

    def test_each_detail_changes_the_picture(self):
        fast = (*ADAM, "--pyramid", "5", "--average", "0.9", "--learning-rate", "20")
        for first, second in (
                ((*fast, "--box", "step"), (*fast, "--box", "end")),
                ((*fast, "--box", "step"), (*fast, "--box", "evaluation")),
                ((*fast, "--box", "end"), (*fast, "--box", "evaluation")),
                (("--statistics-weight", "3"), ("--statistics-weight", "3", "--statistics-layers", "conv1_2")),
                ((*ADAM, "--rate-decay", "0.5"), (*ADAM, "--rate-decay", "0.5", "--rate-decay-steps", "2")),
                (("--tv-form", "power"), ("--tv-form", "power", "--tv-power", "2.5")),
                ((), ("--lbfgs-history", "1")), ((), ("--lbfgs-reach", "0.01"))):
            self.assertNotEqual(self.pixels(*first), self.pixels(*second), second)

    def test_colours(self):
        plain, own = self.pixels(), self.pixels("--colors", "style")
        self.assertEqual(plain, own)
        others = [self.pixels("--colors", kind) for kind in ("luminance", "histogram", "linear")]
        for i, one in enumerate(others):
            self.assertNotIn(one, [plain, *others[:i]])

    def test_initial_pictures(self):
        results = set()
        for init in ("content", "recoloured", "style-statistics", "random", "mix"):
            self.stylize("--init", init, "--scales", "1", iterations=1)
            with open(self.path("out.png"), "rb") as file:
                results.add(b"".join(body for kind, body in png.chunks(file.read()) if kind == b"IDAT"))
        self.assertEqual(len(results), 5)

    def test_depth(self):
        for depth in ("8", "16"):
            self.pixels("--depth", depth)
            with open(self.path("out.png"), "rb") as file:
                (_, first), *_ = png.chunks(file.read())
            self.assertEqual(first[8], int(depth))
        self.fail_with(2, "stylize", *SAMPLES, "-o", "out.jpg", "--depth", "16", says=["--depth 16", "out.jpg", "PNG"])

    def test_the_profile_of_the_content(self):
        # Its red is sRGB's green, its green sRGB's blue, its blue sRGB's red.
        red, green, blue = (0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141)
        turned = png.profile((green, blue, red))
        png.write(self.path("photo.png"), 48, 36, lambda x, y: (20 + 4 * x, 200 - 3 * y, 60), icc=turned)

        def result(*options, content="photo.png"):
            run = self.succeed("stylize", content, "sample:painting", "-o", "out.png", "--size", "48", "--iterations",
                               "1", *LIGHT, "--weights", weights(), *options)
            with open(self.path("out.png"), "rb") as file:
                profiles = [body for kind, body in png.chunks(file.read()) if kind == b"iCCP"]
            return zlib.decompress(profiles[0].split(b"\0", 1)[1][1:]), png.Picture(self.path("out.png")), run.stderr

        profile, plain, _ = result()
        self.assertNotEqual(profile, turned)
        profile, own, said = result("--keep-profile")
        self.assertEqual(profile, turned)
        self.assertNotIn("profile", said)
        for one, other in zip(plain.rows(), own.rows()):
            for x in range(0, 48 * 3, 3):
                r, g, b = one[x:x + 3]
                for value, expected in zip(other[x:x + 3], (g, b, r)):
                    if 40 < expected < 250:  # where the two curves are alike
                        self.assertLess(abs(value - expected), 20)
        self.assertIn("no other profile", result("--keep-profile", content="sample:scene")[2])

    def test_a_run_ends_where_its_loss_stays(self):
        def ends(*options):
            done = self.succeed(*self.stylize_arguments("--iterations", "60", "--scales", "1", "--json", *options))
            end = json.loads(done.stdout)
            return end["ending"], end["iterations"]
        self.assertEqual(ends(), ("finished", 60))
        ending, early = ends("--stop-below", "0.5", "--stop-window", "10")
        self.assertEqual(ending, "converged")
        self.assertTrue(11 <= early < 60, early)
        self.assertLess(ends("--stop-below", "0.5", "--stop-window", "5")[1], early)
        self.assertEqual(ends("--stop-below", "0.5", "--stop-window", "100"), ("finished", 60))

    def test_style_weights(self):
        styles = ("sample:painting", "sample:scene")
        even = self.pixels(styles=styles)
        self.assertEqual(self.pixels("--style-weights", "2,2", styles=styles), even)
        self.assertNotEqual(self.pixels("--style-weights", "0.7,0.3", styles=styles), even)
        self.assertEqual(self.pixels("--style-weights", "1,0", styles=styles), self.pixels())

    def mask(self, name, shown, height=36, width=48):
        """A grey picture: shown(x) of white in each column x."""
        png.write(self.path(name), width, height, lambda x, y: [round(255 * shown(x))] * 3)
        return name

    def test_masks(self):
        left = self.mask("left.png", lambda x: x < 24)
        right = self.mask("right.png", lambda x: x >= 24)
        soft = self.mask("soft.png", lambda x: x / 48)
        small = self.mask("small.png", lambda x: x < 12, 18, 24)
        styles = ("sample:painting", "sample:scene")
        plain = self.pixels()
        seen = [plain]
        for options in (("--mask", left), ("--mask", right), ("--mask", soft), ("--mask", small),
                        ("--mask", left, "--style-mask", right)):
            seen.append(self.pixels(*options))
        for loss in (("--preset", "style-transfer-pytorch"), ("--style-weight", "0", "--statistics-weight", "3")):
            seen.append(self.pixels(*loss))
            seen.append(self.pixels(*loss, "--mask", left))
        seen.append(self.pixels(styles=styles))
        seen.append(self.pixels("--mask", left, right, styles=styles))
        seen.append(self.pixels("--mask", right, "--mask", left, styles=styles))
        for i, one in enumerate(seen):
            self.assertNotIn(one, seen[:i])
        config = self.config("--mask", left)
        self.assertEqual((config["mask"], config["style_mask"]), (1, 0))

    def test_a_mask_scores_the_picture_where_it_shows_it(self):
        left = self.mask("left.png", lambda x: x < 24)
        def score(*options):
            done = self.succeed("score", "sample:scene", "--content", "sample:scene", "--style", "sample:painting",
                                "--size", "48", *LIGHT, "--weights", weights(), *options)
            return json.loads(done.stdout)["style"]
        white = self.mask("white.png", lambda x: 1)
        self.assertAlmostEqual(score("--mask", white) / score(), 1, 5)
        self.assertNotEqual(score("--mask", left), score())

    def test_masks_that_do_not_fit_are_refused(self):
        left = self.mask("left.png", lambda x: x < 24)
        black = self.mask("black.png", lambda x: 0)
        square = self.mask("square.png", lambda x: 1, 48, 48)
        for code, options, *says in (
                (2, ("--mask", left, left), "--mask", "expected 1", "found 2"),
                (2, ("--mask", left, "--style-mask", left, left), "--style-mask", "expected 1", "found 2"),
                (2, ("--style-mask", left), "--style-mask", "--mask"),
                (3, ("--mask", black), "black.png", "black everywhere"),
                (3, ("--mask", square), "square.png", "48x36", "48x48"),
                (3, ("--mask", "none.png"), "none.png")):
            self.fail_with(code, "stylize", *SAMPLES, "-o", "out.png", "--size", "48", "--weights", weights(),
                           "--log", "log.jsonl", *options, says=says)
            self.assertEqual(self.files(), sorted({"left.png", "black.png", "square.png"}), options)

    def test_their_values_are_in_the_recipe(self):
        config = self.config("--style-weights", "0.5", "--statistics-weight", "2", "--box", "step", "--optimizer",
                             "descent", "--rate-decay", "0.9", "--tv-form", "power", "--tv-power", "1.5")
        self.assertEqual((config["style_weights"], config["statistics_weight"]), ([0.5], 2))
        self.assertEqual((config["optimizer"], config["rate_decay"], config["box"]), ("descent", 0.9, "step"))
        self.assertEqual((config["tv_form"], config["tv_power"]), ("power", 1.5))
        self.assertEqual(config["statistics_layers"], config["style_layers"])

    def test_what_does_not_fit_is_refused(self):
        for options, *says in ((("--style-weights", "1,2"), "--style-weights", "expected 1", "found 2"),
                               (("--style-weights", "0"), "--style-weights", "0"),
                               (("--style-weights", "a"), "--style-weights", "'a'"),
                               (("--optimizer", "lbfgs", "--rate-decay", "0.5"), "--rate-decay", "L-BFGS"),
                               ((*ADAM, "--lbfgs-history", "5"), "--lbfgs-history", "adam"),
                               (("--optimizer", "descent", "--pyramid", "3"), "gradient descent", "pyramid"),
                               (("--optimizer", "lbfgs", "--decorrelate"), "L-BFGS", "decorrelated"),
                               (("--noise-ratio", "1.5"), "--noise-ratio", "1.5"),
                               (("--box", "always"), "--box", "'always'")):
            self.fail_with(2, "stylize", *SAMPLES, "-o", "out.png", "--size", "48", "--weights", weights(), *options,
                           says=says)


if __name__ == "__main__":
    unittest.main()
