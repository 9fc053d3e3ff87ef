# SPDX-License-Identifier: MIT
"""Every control changes the picture, and refuses what makes no sense."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import unittest
import zlib

import png
from harness import LIGHT, PROGRAM, SAMPLES, ProgramTest, environment, weights

# The run that the options are added to, small and quick.
PLAIN = {"--size": "48", "--iterations": "4", "--scales": "1", "--init": "mix", "--content-layers": "conv2_1",
         "--style-layers": "conv1_1,conv2_1"}
ADAM = {"--optimizer": "adam", "--learning-rate": "0.5"}
# Pixels of this run leave their range.
FAR = {"--optimizer": "adam", "--learning-rate": "20", "--pyramid": "5", "--average": "0.9"}
# For each option of a picture: what is given besides, and values of which each makes a picture of its own. None is the
# option left out. Options with a list of words have those words as their values, every one of them.
EFFECTS = {
    "--preset": ({"--statistics-layers": "conv1_1"}, ()),
    "--content-weight": ({}, (None, "9")),
    "--style-weight": ({}, (None, "9")),
    "--tv-weight": ({}, (None, "9")),
    "--content-layers": ({}, ("conv1_2", "conv2_1", "conv1_2,conv2_1", "conv1_2:0.9,conv2_1:0.1")),
    "--style-layers": ({}, ("conv1_1", "conv2_1", "conv1_1,conv2_1", "conv1_1:0.9,conv2_1:0.1")),
    "--style-octaves": ({}, (None, "2")),
    "--statistics-weight": ({}, (None, "3")),
    "--statistics-layers": ({"--statistics-weight": "3"}, (None, "conv1_2")),
    "--content-relu": ({}, ()),
    "--style-relu": ({}, ()),
    "--style-weights": ({"STYLE": "sample:scene"}, (None, "0.7,0.3")),
    "--normalize-gradients": (ADAM, (None, True)),
    "--mask": ({}, (None, "left.png", "right.png", "soft.png", "small.png")),
    "--style-mask": ({"--mask": "left.png"}, (None, "right.png")),
    "--tv-form": ({**ADAM, "--tv-weight": "100"}, ()),
    "--tv-power": ({"--tv-form": "power"}, (None, "2.5")),
    "--pooling": ({}, ()),
    "--padding": ({}, ()),
    "--size": ({}, ("48", "40")),
    "--style-size": ({}, (None, "40")),
    "--iterations": ({}, ("4", "3")),
    "--stop-below": ({"--iterations": "9", "--stop-window": "2"}, (None, "0.9")),
    "--stop-window": ({"--iterations": "9", "--stop-below": "0.9"}, ("2", "5")),
    "--scales": ({"--size": "180"}, ("1", "2")),
    "--scale-detail": ({"--size": "180", "--scales": "2"}, (None, "0", "0.5")),
    "--optimizer": ({"--learning-rate": "0.5"}, ()),
    "--learning-rate": (ADAM, ("0.5", "0.25")),
    "--rate-decay": (ADAM, (None, "0.5")),
    "--rate-decay-steps": ({**ADAM, "--rate-decay": "0.5"}, (None, "2")),
    "--pyramid": (ADAM, (None, "2")),
    "--decorrelate": (ADAM, (None, True)),
    "--average": (ADAM, (None, "0.9")),
    "--lbfgs-history": ({}, (None, "1")),
    "--lbfgs-reach": ({}, (None, "0.01")),
    "--box": (FAR, ()),
    "--init": ({"--iterations": "1"}, ("left.png",)),
    "--noise-ratio": ({}, (None, "0.3")),
    "--noise-amplitude": ({}, (None, "5")),
    "--colors": ({}, ()),
    "--depth": ({}, ()),
    "--seed": ({}, (None, "1")),
    "--weights": ({}, (weights(), os.path.join(os.path.dirname(weights()), "blurred.h5"))),
}
# Options that leave the pixels as they are, and what they are for. Tests of these look at that.
WITHOUT_EFFECT = {
    "other files": ("--output", "--sheet", "--report", "--film", "--save-every", "--log", "--checkpoint",
                    "--checkpoint-every", "--resume"),
    "what is said": ("--json", "--dry-run", "--quiet"),
    "where settings come from": ("--from", "--config", "--help"),
    "where and how it is computed, to the same picture but for rounding": (
        "--device", "--precision", "--memory", "--no-plan-cache"),
    "the meaning of the pixels, for which the profile beside them must be read": ("--keep-profile",),
}


def pixels_of(path):
    """A digest of them, packed as in the file."""
    with open(path, "rb") as file:
        packed = b"".join(body for kind, body in png.chunks(file.read()) if kind == b"IDAT")
    return hashlib.sha256(packed).hexdigest()


class ControlsTest(ProgramTest):
    def pixels(self, *words, **given):
        """The pixels that a short run gives. `given` has values for options; None leaves one out."""
        options = {**PLAIN, "--weights": weights(), **given}
        styles = ("sample:painting", *((options.pop("STYLE"),) if "STYLE" in options else ()))
        for option, value in options.items():
            words += () if value is None else (option,) if value is True else (option, value)
        result = self.run_program("stylize", "sample:scene", *styles, "-o", "out.png", *words)
        self.assertIn(result.returncode, (0, 7), result.stderr)  # 7: normalised gradients may let the loss rise
        return pixels_of(self.path("out.png"))

    def config(self, *options):
        # A plan measures; one thread waits for no other on a busy machine.
        result = self.succeed("stylize", *SAMPLES, "-o", "out.png", "--dry-run", "--json", *options,
                              env={"OMP_NUM_THREADS": "1"})
        return json.loads(result.stdout)["config"]

    def test_every_option_is_known_to_change_the_picture_or_not_to(self):
        options = set(re.findall(r"(?m)^  (?:-\w,)?(--[a-z][a-z0-9-]*)", self.succeed("stylize", "--help").stdout))
        without = [option for those in WITHOUT_EFFECT.values() for option in those]
        self.assertEqual(options, {*EFFECTS, *without})
        self.assertEqual(set(EFFECTS) & set(without), set())

    def test_each_value_of_an_option_makes_a_picture_of_its_own(self):
        self.masks()
        help_text = re.sub(r"\|\s+", "|", self.succeed("stylize", "--help").stdout)
        for option, (besides, values) in EFFECTS.items():
            with self.subTest(option):
                words = re.search(rf"(?m)^  {option} ([a-z0-9]\S*(?:\|\S+)+)", help_text)
                values = [*values, *(word for word in (words[1].split("|") if words else ()) if word != "FILE")]
                self.assertGreater(len(values), 1)
                pictures = [self.pixels(**{**besides, option: value}) for value in values]
                for number, picture in enumerate(pictures):
                    self.assertNotIn(picture, pictures[:number], values[number])

    def test_the_style_has_its_own_colours_unless_asked(self):
        self.assertEqual(self.pixels(), self.pixels("--colors", "style"))

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

    def test_transparency_that_the_format_cannot_hold_is_noted(self):
        png.write(self.path("photo.png"), 24, 18, lambda x, y: (9 * x, 9 * y, 60, 10 * x), alpha=True)
        for output, noted in (("out.png", False), ("out.tif", False), ("out.webp", False), ("out.jpg", True)):
            said = self.succeed("stylize", "photo.png", "sample:painting", "-o", output, "--size", "24", "--iterations",
                                "1", *LIGHT, "--weights", weights()).stderr
            self.assertEqual(f"'photo.png' is transparent in parts, which '{output}' cannot be" in said, noted, said)
        for name, noted in (("{stem}.{ext}", False), ("{stem}.jpg", True)):
            said = self.succeed("batch", "photo.png", "--styles", "sample:painting", "-o", f"many{noted}", "--name", name,
                                "--size", "24", "--iterations", "1", *LIGHT, "--weights", weights()).stderr
            self.assertEqual("photo.jpg: the content is transparent in parts" in said, noted, said)

    def test_a_batch_notes_contents_without_a_profile(self):
        png.write(self.path("photo.png"), 24, 18, lambda x, y: (9 * x, 9 * y, 60))
        done = self.succeed("batch", "photo.png", "--styles", "photo.png", "-o", "many", "--keep-profile", "--size", "24",
                            "--scales", "1", "--iterations", "1", *LIGHT, "--weights", weights())
        self.assertIn("photo_photo.png: the content has no other profile", done.stderr)

    def test_a_preset_for_another_kind_of_network_is_noted(self):
        for preset, noted in (("trained", True), ("impasto", False), ("gatys", False)):
            said = self.stylize("--preset", preset, iterations=1).stderr
            self.assertEqual("another kind of network; --preset impasto suits" in said, noted, said)

    def test_a_gpu_that_is_not_used_is_noted_before_the_start(self):
        backends = json.loads(self.succeed("devices", "--json").stdout)
        if any(backend["name"] == "cuda" and backend["available"] for backend in backends):
            self.skipTest("it is used")
        os.makedirs(self.path("driver/nvidia"))  # what NVIDIA's driver shows in /proc/driver
        with_driver = ["unshare", "--map-root-user", "--mount", "sh", "-c",
                       'mount --bind "$0" /proc/driver && exec "$@"', self.path("driver")]
        if not shutil.which("unshare") or subprocess.run([*with_driver, "true"], capture_output=True).returncode != 0:
            self.skipTest("this system mounts nothing here")
        png.write(self.path("photo.png"), 24, 18, lambda x, y: (9 * x, 9 * y, 60))
        plain = ("--size", "24", "--iterations", "1", "--init", "content", "--learning-rate", "0.01", *LIGHT, "--weights",
                 weights())
        stylize = ("stylize", "photo.png", "sample:painting", "-o", "out.png", *plain)
        batch = ("batch", "photo.png", "--styles", "sample:painting", "-o", "many", *plain)
        for command, noted in ((stylize, True), ((*stylize, "--device", "cpu"), False), (batch, True),
                               ((*batch, "--run", "other", "--if-exists", "skip", "--devices", "cpu"), False)):
            done = subprocess.run([*with_driver, PROGRAM, *command], cwd=self.folder, env=environment(), text=True,
                                  capture_output=True, timeout=120)
            self.assertEqual(done.returncode, 0, done.stderr)
            said = "note: this machine has an NVIDIA GPU that is not used: "
            self.assertEqual(said in done.stderr.split("1/1")[0], noted, done.stderr)
            self.assertNotIn(said, self.run_program(*stylize).stderr)

    def test_a_batch_notes_the_presets_of_its_rows_once_each(self):
        png.write(self.path("photo.png"), 24, 18, lambda x, y: (9 * x, 9 * y, 60))
        rows = [{"content": "photo.png", "styles": ["photo.png"], "output": f"{i}.png", "preset": preset}
                for i, preset in enumerate(("impasto", "trained", "trained", "pytorch-tutorial"))]
        with open(self.path("rows.jsonl"), "w", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
        said = self.succeed("batch", "--manifest", "rows.jsonl", "-o", "many", "--size", "24", "--scales", "1",
                            "--iterations", "1", "--preset", "style-transfer-pytorch", *LIGHT,
                            "--weights", weights()).stderr
        noted = re.findall("the preset '(.*)' is balanced for another kind of network", said)
        self.assertEqual(noted, ["trained", "pytorch-tutorial"], said)

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

    def test_lbfgs_ends_where_the_preset_s_system_does_and_says_why(self):
        """From the content, with nothing else to follow, the gradient is 0."""
        still = ("--init", "content", "--style-weight", "0", "--tv-weight", "0", "--iterations", "9")
        for preset, early in (("gatys", [{"size": 48, "iteration": 0, "reason": "gradient"}]), ("neural-style-pt", [])):
            done = self.succeed(*self.stylize_arguments("--preset", preset, *still, "--json", "--report", "page.html"))
            end = json.loads(done.stdout)
            self.assertEqual(end["ending"], "converged" if early else "finished")
            self.assertEqual(end["ended_early"], early)
            self.assertEqual(end["iterations"], 0 if early else 9)
            said = "Ended    early, with iteration 0 at 48 pixels: no component of the gradient was above 1e-07"
            self.assertEqual(said in done.stderr, bool(early), done.stderr)
            with open(self.path("page.html"), encoding="utf-8") as page:
                self.assertEqual("with iteration 0 at 48 pixels: gradient" in page.read(), bool(early))

    def test_style_weights(self):
        two = {"STYLE": "sample:scene"}
        self.assertEqual(self.pixels("--style-weights", "2,2", **two), self.pixels(**two))
        self.assertEqual(self.pixels("--style-weights", "1,0", **two), self.pixels())

    def mask(self, name, shown, height=36, width=48):
        """A grey picture: shown(x) of white in each column x."""
        png.write(self.path(name), width, height, lambda x, y: [round(255 * shown(x))] * 3)
        return name

    def masks(self):
        self.mask("left.png", lambda x: x < 24)
        self.mask("right.png", lambda x: x >= 24)
        self.mask("soft.png", lambda x: x / 48)
        self.mask("small.png", lambda x: x < 12, 18, 24)

    def test_masks(self):
        self.masks()
        left, right = ("--mask", "left.png"), ("--mask", "right.png")
        seen = []
        for loss in ({"--preset": "style-transfer-pytorch"}, {"--style-weight": "0", "--statistics-weight": "3"}):
            seen += [self.pixels(**loss), self.pixels(*left, **loss)]
        two = {"STYLE": "sample:scene"}
        seen += [self.pixels(**two), self.pixels(*left, "right.png", **two), self.pixels(*right, *left, **two)]
        for i, one in enumerate(seen):
            self.assertNotIn(one, seen[:i])
        config = self.config(*left)
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

    def test_an_option_that_changes_nothing_is_noted(self):
        def noted(*options, command=(*self.stylize_arguments(), "--iterations", "3")):
            said = self.succeed(*command, *options).stderr
            return re.findall("note: --(.*) changes nothing: (.*)", said)
        plain = ("--preset", "coursera", "--statistics-weight", "0", "--init", "content")
        idle = {"statistics-layers": "conv1_1", "style-weights": "2", "tv-form": "absolute", "tv-power": "3",
                "stop-window": "3", "scale-detail": "0.5", "rate-decay-steps": "3", "noise-ratio": "0.1",
                "noise-amplitude": "3", "seed": "3", "save-every": "3"}
        words = [word for name, value in idle.items() for word in (f"--{name}", value)]
        self.assertEqual([name for name, _ in noted(*plain, *words)], list(idle))
        # Each as it should be used, and what it takes where it is missed.
        for options, takes in ((("--tv-power", "3"), ("--tv-form", "power")), (("--stop-window", "3"), ("--stop-below", "0.1")),
                               (("--seed", "3"), ("--init", "random")), (("--noise-ratio", "0.1"), ("--init", "mix")),
                               (("--save-every", "2"), ())):
            self.assertEqual(noted(*options, *takes), [], options)
        self.assertEqual(noted("--content-weight", "0"), [("content-layers", "the content has the weight 0")])
        detail = ("scale-detail", "there is one scale at this size")
        self.assertEqual(noted("--scale-detail", "0", "--scales", "3"), [detail])
        for size, iterations, scales in (("140", "3", 1), ("180", "1", 1), ("180", "3", 2), ("360", "3", 3)):
            said = self.succeed("stylize", *SAMPLES, "-o", "out.png", "--size", size, "--iterations", iterations,
                                "--scales", "3", "--dry-run", *LIGHT, "--weights", weights()).stderr
            self.assertEqual(re.findall("note: --scales 3: there are (.);", said), [str(scales)] * (scales < 3), said)
        # They are noted where they were asked for, not where they come with a recipe or a file.
        self.assertEqual(noted("--quiet", "--noise-ratio", "0.3"), [])
        again = ("stylize", *SAMPLES, "-o", "again.png", "--from", "out.png", "--weights", weights())
        self.assertEqual(noted(command=again), [])
        png.write(self.path("photo.png"), 24, 18, lambda x, y: (9 * x, 9 * y, 60))
        batch = ("batch", "photo.png", "--styles", "photo.png", "-o", "many", "--size", "24", "--iterations", "1", *LIGHT,
                 "--weights", weights(), "--seed", "3")
        self.assertEqual(noted(command=batch), [("seed", "it takes --init random, mix or style-statistics")])
        self.assertEqual(noted("--styles-per-image", "1", "--run", "drawn", "--if-exists", "overwrite", command=batch), [])

    def test_an_option_that_changes_no_picture_of_many_is_noted(self):
        png.write(self.path("photo.png"), 24, 18, lambda x, y: (9 * x, 9 * y, 60))
        common = ("--size", "24", "--iterations", "1", "-o", "many", "--dry-run", *LIGHT, "--weights", weights())
        row = {"content": "photo.png", "styles": ["photo.png"]}

        def noted(*command):
            return re.findall("note: --(.*) changes nothing: (.*)", self.succeed(*command, *common).stderr)

        def swept(*options):
            return noted("sweep", "photo.png", "photo.png", *options)

        def batched(rows, *options):
            with open(self.path("rows.jsonl"), "w", encoding="utf-8") as file:
                file.writelines(json.dumps({**row, "output": f"{i}.png", **own}) + "\n" for i, own in enumerate(rows))
            return noted("batch", "--manifest", "rows.jsonl", *options)

        power = ("tv-power", "it takes --tv-form power")
        forms = ("--axis", "tv-form=absolute,power", "--tv-weight", "1")
        self.assertEqual(swept("--axis", "tv-power=1,1.5"), [power])
        self.assertEqual(swept("--axis", "tv-weight=1,2", "--tv-power", "1.5"), [power])
        self.assertEqual(swept("--axis", "tv-power=1,1.5", *forms), [])
        self.assertEqual(swept("--tv-power", "1.5", *forms), [])
        self.assertEqual(swept("--axis", "style-weight=1,2", "--style-weight", "3"),
                         [("style-weight", "each picture has its own value")])
        rows = [{"tv-power": 1.5}, {}]
        self.assertEqual(batched(rows), [power])
        self.assertEqual(batched([{"tv-power": 1.5}], "--tv-power", "1.7"), [power])
        drawn = ("--styles", "photo.png", "--styles-per-image", "1", "--seed", "5")
        self.assertEqual(batched([{"seed": 4, "styles": None}], *drawn), [])
        self.assertEqual(batched(rows, "--tv-form", "power", "--tv-weight", "1"), [])
        self.assertEqual(batched([{"tv-weight": 1}, {"tv-form": "power", "tv-weight": 1}], "--tv-power", "1.5"), [])
        own = [(name, f"each picture has its own {what}") for name, what in
               (("style-weight", "value"), ("styles", "styles"), ("styles-per-image", "styles"), ("name", "output"))]
        said = ("--style-weight", "3", "--styles", "photo.png", "--styles-per-image", "1", "--name", "{stem}.png")
        self.assertEqual(batched([{"style-weight": 1}, {"style-weight": 2}], *said), own)
        self.assertEqual(batched([{"style-weight": 1}, {"styles": None, "output": None}], *said), [])

    def test_what_does_not_fit_is_refused(self):
        for options, *says in ((("--style-weights", "1,2"), "--style-weights", "expected 1", "found 2"),
                               (("--style-weights", "0"), "--style-weights", "0"),
                               (("--style-weights", "a"), "--style-weights", "'a'"),
                               (("--optimizer", "lbfgs", "--rate-decay", "0.5"), "--rate-decay", "L-BFGS"),
                               (("--optimizer", "adam", "--lbfgs-history", "5"), "--lbfgs-history", "adam"),
                               (("--optimizer", "descent", "--pyramid", "3"), "gradient descent", "pyramid"),
                               (("--optimizer", "lbfgs", "--decorrelate"), "L-BFGS", "decorrelated"),
                               (("--noise-ratio", "1.5"), "--noise-ratio", "1.5"),
                               (("--box", "always"), "--box", "'always'")):
            self.fail_with(2, "stylize", *SAMPLES, "-o", "out.png", "--size", "48", "--weights", weights(), *options,
                           says=says)


if __name__ == "__main__":
    unittest.main()
