# SPDX-License-Identifier: MIT
"""A flag comes before the environment, that before the configuration file, that before the preset."""

import json
import unittest

from harness import ProgramTest


class SettingsTest(ProgramTest):
    def plan(self, *more, env=None):
        result = self.succeed("stylize", "sample:scene", "sample:painting", "-o", "out.png",
                              "--dry-run", "--json", *more, env=env or {})
        self.assertEqual(self.files(), self.configuration)
        return json.loads(result.stdout)["config"]

    def setUp(self):
        super().setUp()
        self.configuration = []

    def write_config(self, text):
        with open(self.path("run.toml"), "w", encoding="utf-8") as file:
            file.write(text)
        self.configuration = ["run.toml"]

    def test_preset_alone(self):
        config = self.plan()
        self.assertEqual((config["preset"], config["size"]), ("impasto", 512))
        config = self.plan("--preset", "coursera")
        self.assertEqual(config["preset"], "coursera")
        self.assertEqual((config["size"], config["iterations"]), (400, 200))
        self.assertEqual((config["content_weight"], config["style_weight"]), (10, 40))
        self.assertEqual(config["learning_rate"], 2.0)

    def test_order(self):
        self.write_config("size = 100\niterations = 11\nstyle-weight = 3\ntv_weight = 0.5\n")
        env = {"IMPASTO_SIZE": "200", "IMPASTO_STYLE_WEIGHT": "4"}
        config = self.plan("--config", "run.toml", "--size", "300", env=env)
        self.assertEqual(config["size"], 300)
        self.assertEqual(config["style_weight"], 4)
        self.assertEqual(config["variation_weight"], 0.5)
        self.assertEqual(config["iterations"], 11)
        self.assertEqual(config["preset"], "impasto")

    def test_config_named_by_the_environment(self):
        self.write_config("size = 100\n")
        self.assertEqual(self.plan(env={"IMPASTO_CONFIG": "run.toml"})["size"], 100)

    def test_empty_environment_is_not_given(self):
        self.assertEqual(self.plan(env={"IMPASTO_SIZE": ""})["size"], 512)

    def test_sections_and_arrays(self):
        self.write_config('size = 100  # pixels\n'
                          'style-layers = ["conv1_1:0.5", "conv2_1:0.25"]\n'
                          '[score]\nsize = 999\n'
                          '[stylize]\niterations = 7\ncontent-layers = "conv3_1,conv3_2"\n')
        config = self.plan("--config", "run.toml")
        self.assertEqual((config["size"], config["iterations"]), (100, 7))
        self.assertEqual(config["style_layers"], {"conv1_1": 0.5, "conv2_1": 0.25})
        self.assertEqual(config["content_layers"], {"conv3_1": 0.5, "conv3_2": 0.5})

    def test_layer_names_of_other_systems(self):
        config = self.plan("--content-layers", "relu4_2", "--style-layers", "block1_conv1:2")
        self.assertEqual(config["content_layers"], {"conv4_2": 1})
        self.assertEqual(config["style_layers"], {"conv1_1": 2})

    def refuse(self, *says, env=None):
        self.fail_with(2, "stylize", "sample:scene", "sample:painting", "-o", "out.png",
                       "--config", "run.toml", says=says, env=env or {})

    def test_mistakes(self):
        self.refuse("run.toml")
        self.write_config("sizes = 100\n")
        self.refuse("run.toml", "'sizes'", "did you mean 'size'?")
        self.write_config('size = "big"\n')
        self.refuse("run.toml: --size", "'big'")
        self.write_config('dry-run = "perhaps"\n')
        self.refuse("run.toml", "'perhaps'")
        self.write_config("size = 100\n")
        self.refuse("IMPASTO_SIZE: --size", "'huge'", env={"IMPASTO_SIZE": "huge"})

    def test_a_setting_of_another_command_is_not_a_mistake(self):
        self.write_config('layer = "conv4_2"\nsize = 100\n')
        self.assertEqual(self.plan("--config", "run.toml")["size"], 100)


if __name__ == "__main__":
    unittest.main()
