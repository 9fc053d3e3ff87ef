# SPDX-License-Identifier: MIT
"""--memory: pictures that are computed in tiles."""

import json
import os
import unittest
from pathlib import Path

import png
from harness import LIGHT, ProgramTest, weights


class TilesTest(ProgramTest):
    def arguments(self, *more, output="out.png", size="136", iterations="3"):
        return ["stylize", "sample:scene", "sample:painting", "-o", output, "--size", size, "--scales", "1", "--iterations",
                iterations, "--device", "cpu", "--precision", "fp32", "--optimizer", "adam", "--weights", weights(), *LIGHT,
                *more]

    def memory(self, *more, **options):
        return json.loads(self.succeed(*self.arguments("--dry-run", "--json", *more, **options)).stdout)["memory"]

    def picture(self, *more, output="out.png"):
        self.succeed(*self.arguments(*more, output=output))
        return Path(self.path(output)).read_bytes()

    def test_a_plan_has_the_tiles_that_fit(self):
        whole = self.memory()
        self.assertIsNone(whole["tiles"])
        self.assertEqual(self.memory("--memory", str(whole["total_bytes"])), whole)
        half = whole["total_bytes"] // 2
        tiled = self.memory("--memory", str(half))
        self.assertLessEqual(tiled["total_bytes"], half)
        self.assertGreater(tiled["tiles"]["count"], 1)
        self.assertGreater(tiled["tiles"]["halo"], 0)
        self.assertGreater(tiled["tiles"]["recomputation"], 1)
        words = self.succeed(*self.arguments("--dry-run", "--memory", str(half))).stdout
        self.assertRegex(words, r"(?m)^tiles +\d+ of \d+x\d+ with a halo of \d+, \d+\.\d\d times the convolutions$")
        self.assertRegex(words, rf"(?m)^memory +{half}$")

    def test_the_picture_is_the_same_but_for_rounding_and_its_recipe_repeats_it(self):
        whole = self.picture()
        enough = self.picture("--memory", "1.5G", output="enough.png")
        self.assertEqual(self.pixels_of("enough.png"), self.pixels_of("out.png"))
        self.assertNotEqual(enough, whole)  # its recipe has the memory
        half = str(self.memory()["total_bytes"] // 2)
        tiled = self.picture("--memory", half, output="tiled.png")
        self.succeed("stylize", "sample:scene", "sample:painting", "-o", "again.png", "--weights", weights(), "--from",
                     "tiled.png")
        self.assertEqual(Path(self.path("again.png")).read_bytes(), tiled)

    def pixels_of(self, name):
        return [body for kind, body in png.chunks(Path(self.path(name)).read_bytes()) if kind == b"IDAT"]

    def least(self, **options):
        """Of the memory in which the picture can be computed, in MiB."""
        refused = self.run_program(*self.arguments("--memory", "1M", "--dry-run", **options))
        return int(refused.stderr.split("it needs ")[1].split()[0])

    def test_what_memory_has_no_room_for_is_in_a_file(self):
        least = f"{self.least()}M"
        plan = self.memory("--memory", least)
        self.assertGreater(plan["filed_bytes"], 0)
        self.assertEqual(self.memory()["filed_bytes"], 0)
        folder = self.path("files")
        os.mkdir(folder)
        words = self.succeed(*self.arguments("--dry-run", "--memory", least), env={"TMPDIR": folder}).stdout
        self.assertRegex(words, rf"(?m)^file +\S+ [KM]iB in {folder}, while it runs$")
        self.picture()
        self.succeed(*self.arguments("--memory", least, output="filed.png"), env={"TMPDIR": folder})
        self.assertEqual(os.listdir(folder), [])
        filed, held = (b"".join(png.Picture(self.path(name)).rows()) for name in ("filed.png", "out.png"))
        self.assertLess(max(abs(a - b) for a, b in zip(filed, held)), 2)
        self.fail_with(6, *self.arguments("--memory", least, output="none.png"), env={"TMPDIR": "/nowhere"},
                       says=("/nowhere",))

    @unittest.skipIf(os.environ.get("TEST_SANITIZE"), "a sanitizer takes memory of its own")
    def test_the_process_takes_what_the_plan_says(self):
        whole = self.memory(size="512")["total_bytes"]
        for memory, filed in ((whole, False), (whole // 3, False), (self.least(size="512") << 20, True)):
            arguments = self.arguments("--memory", str(memory), "--json", size="512", iterations="2")
            plan = json.loads(self.succeed(*arguments, "--dry-run").stdout)
            peak = json.loads(self.succeed(*arguments).stdout)["peak_memory_bytes"]
            self.assertEqual(plan["memory"]["filed_bytes"] > 0, filed)
            self.assertAlmostEqual(plan["process_bytes"] / peak, 1, delta=0.1, msg=plan["memory"])

    def test_a_batch_gives_the_same_picture(self):
        half = str(self.memory()["total_bytes"] // 2)
        tiled = self.picture("--memory", half)
        batch = ["batch", "sample:scene", "--styles", "sample:painting", *self.arguments("--memory", half)[5:]]
        batch[batch.index("--device")] = "--devices"
        self.assertIn("its tiles", self.succeed(*batch, "-o", "out", "--dry-run").stdout)
        self.succeed(*batch, "-o", "out", "--name", "{stem}.png")
        self.assertEqual(Path(self.path("out/scene.png")).read_bytes(), tiled)

    def test_what_cannot_be_is_refused_before_anything_is_written(self):
        half = str(self.memory()["total_bytes"] // 2)
        for options, code, *says in ((("--memory", "much"), 2, "--memory", "8G", "'much'"),
                                     (("--memory", "0"), 2, "--memory", "'0'"),
                                     (("--memory", "2M"), 75, "2 MiB", "needs"),
                                     (("--memory", half, "--style-octaves", "2"), 2, "style-octaves 2", "tiles"),
                                     (("--memory", half, "--normalize-gradients"), 2, "normalize-gradients", "tiles"),
                                     (("--memory", half, "--statistics-weight", "1"), 2, "statistics loss", "tiles")):
            self.fail_with(code, *self.arguments("--log", "log.jsonl", *options), says=says)
            if code == 2:
                self.fail_with(code, *self.arguments("--dry-run", *options), says=says)
        plan = self.run_program(*self.arguments("--memory", "2M", "--dry-run"))
        self.assertEqual(plan.returncode, 75, plan.stderr)
        self.assertRegex(plan.stdout, r"(?m)^tiles ")
        self.assertEqual(self.files(), [])


if __name__ == "__main__":
    unittest.main()
