# SPDX-License-Identifier: MIT
"""score's measures of quality: what they say of pictures whose quality is known, and where they say nothing."""

import json
import os
import unittest

import png
from harness import LIGHT, ProgramTest, weights


class QualityTest(ProgramTest):
    def score(self, image, *more, network=None, content="sample:scene"):
        result = self.succeed("score", image, "--weights", network or weights(), "--content", content, "--style",
                              "sample:painting", "--size", "64", *LIGHT, *more)
        return json.loads(result.stdout)["quality"], result.stderr

    def test_content_and_style_themselves(self):
        content, _ = self.score("sample:scene")
        style, _ = self.score("sample:painting", content="sample:painting")
        crossed, _ = self.score("sample:painting")
        self.assertAlmostEqual(content["edge_ssim"], 1, delta=1e-9)
        self.assertLess(crossed["edge_ssim"], 0.9)
        for layer, distance in style["held_out_gram"].items():
            self.assertAlmostEqual(distance, 0, delta=1e-5, msg=layer)
            self.assertGreater(content["held_out_gram"][layer], 0.01, layer)

    def test_only_layers_that_the_settings_compare_no_style_at_and_the_file_has(self):
        quality, _ = self.score("sample:scene")
        self.assertEqual(list(quality), ["content_cosine", "held_out_gram", "edge_ssim", "e_statistic"])
        self.assertEqual(list(quality["held_out_gram"]), ["conv1_2", "conv2_2", "conv3_2"])
        self.assertEqual(quality["content_cosine"], {})  # the file ends before conv4_1
        quality, _ = self.score("sample:scene", "--statistics-weight", "1", "--statistics-layers", "conv2_2")
        self.assertEqual(list(quality["held_out_gram"]), ["conv1_2", "conv3_2"])

    def test_each_style_is_looked_at_where_its_mask_says(self):
        for name, white in (("left.png", lambda x: x < 32), ("right.png", lambda x: x >= 32)):
            png.write(self.path(name), 64, 48, pixel=lambda x, y, white=white: (255 * white(x),) * 3)
        def quality(*more):  # of a size at which half of a map has more pixels than E has directions
            published = os.path.join(os.path.dirname(weights()), "published.h5")
            result = self.succeed("score", "sample:scene", "--weights", published, "--content", "sample:scene",
                                  "--style", "sample:painting", "--style", "sample:scene", "--style-weights", "1,3",
                                  "--size", "128", *LIGHT, *more)
            return json.loads(result.stdout)["quality"]
        whole = quality()
        self.assertNotIn("styles", whole)
        masks = quality("--mask", "left.png", "--mask", "right.png")
        exchanged = quality("--mask", "right.png", "--mask", "left.png")
        self.assertEqual([whole["content_cosine"], whole["edge_ssim"]], [masks["content_cosine"], masks["edge_ssim"]])
        self.assertEqual(len(masks["styles"]), 2)
        for layer, distance in masks["held_out_gram"].items():
            painting, scene = (style["held_out_gram"][layer] for style in masks["styles"])
            self.assertAlmostEqual(distance, 0.25 * painting + 0.75 * scene, delta=1e-9, msg=layer)
            self.assertNotAlmostEqual(distance, exchanged["held_out_gram"][layer], delta=1e-4, msg=layer)
        for part, value in masks["e_statistic"].items():
            painting, scene = (style["e_statistic"][part] for style in masks["styles"])
            self.assertAlmostEqual(value, 0.25 * painting + 0.75 * scene, delta=1e-9, msg=part)

    def test_the_e_statistic_is_of_one_network_alone(self):
        quality, said = self.score("sample:scene")
        self.assertIsNone(quality["e_statistic"])
        self.assertIn("no E statistic: it was fitted", said)
        published = os.path.join(os.path.dirname(weights()), "published.h5")
        content, said = self.score("sample:scene", network=published)
        self.assertNotIn("E statistic", said)
        e = content["e_statistic"]
        self.assertAlmostEqual(e["e"], 0.7468 * e["e1"] + 0.2557 * e["e2"] + 2.3768 * e["e3"], delta=1e-9)
        style, _ = self.score("sample:painting", network=published)
        self.assertGreater(style["e_statistic"]["e"], e["e"] + 10)


if __name__ == "__main__":
    unittest.main()
