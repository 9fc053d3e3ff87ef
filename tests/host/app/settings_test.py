# SPDX-License-Identifier: MIT
"""A flag comes before the environment, that before the configuration file, that before the preset."""

import json
import os
import unittest

import png
from harness import LIGHT, ProgramTest, weights


class SettingsTest(ProgramTest):
    def plan(self, *more, env=None):
        # A plan measures; one thread waits for no other on a busy machine.
        result = self.succeed("stylize", "sample:scene", "sample:painting", "-o", "out.png",
                              "--dry-run", "--json", *more, env={"OMP_NUM_THREADS": "1", **(env or {})})
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
        self.assertEqual(config["tv_weight"], 0.5)
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

    def test_unknown_sections_and_their_keys(self):
        for text, *says in (("[stylise]\niterations = 9\n", "'stylise'", "did you mean 'stylize'?"),
                            ("[score]\niterations = 9\n", "'iterations'", "[score]"),
                            ("[stylize.a]\n", "'stylize a'"), ("[[stylize]]\n", "'stylize'"),
                            ("size = 64\n[score]\nsise = 64\n", "'sise'", "did you mean 'size'?")):
            self.write_config(text)
            self.refuse("run.toml", *says)

    def test_toml_as_it_is_defined(self):
        self.write_config('\ufeffsize = 0x40\niterations = 1_1\nlearning-rate = 3\n'
                          'style-layers = [\n  "conv1_1:0.5",  # a list over several lines\n'
                          '  "conv2_1:0.25",\n]\nstyle-size = 40.0\n'
                          'content-layers = """conv3_1"""\n')
        config = self.plan("--config", "run.toml")
        self.assertEqual((config["size"], config["iterations"]), (64, 11))
        self.assertEqual(config["style_layers"], {"conv1_1": 0.5, "conv2_1": 0.25})
        self.assertEqual(config["content_layers"], {"conv3_1": 1})

    def test_toml_that_is_none(self):
        for text in ('style-layers = ["conv1_1:0.2",\n', "size = 64 garbage\n", "size = = 3\n", "= 3\n",
                     "size = 64\nsize = 65\n", "size = 1979-05-27\n", "size = [[64]]\n",
                     "style-weight = 2\nstyle_weight = 3\n"):
            self.write_config(text)
            self.refuse("run.toml")

    def test_a_section_comes_before_the_top(self):
        self.write_config("size = 100\n[stylize]\nsize = 200\n")
        self.assertEqual(self.plan("--config", "run.toml")["size"], 200)

    def test_several_styles(self):
        self.write_config('style = ["sample:painting", "sample:scene"]\n')
        arguments = ("score", "sample:scene", "--size", "32", "--content", "sample:scene", *LIGHT,
                     "--weights", weights())
        result = self.succeed(*arguments, "--config", "run.toml")
        self.assertEqual(result.stdout, self.succeed(*arguments, "--style", "sample:painting", "--style",
                                                     "sample:scene").stdout)

    def test_files_that_are_no_configuration(self):
        os.symlink("loop.toml", self.path("loop.toml"))
        os.mkfifo(self.path("pipe.toml"))
        self.write_config("#" * 70000)
        for name in ("loop.toml", "pipe.toml", ".", "x" * 300, "y/" * 2500, "/proc/self/mem", "run.toml"):
            self.fail_with(2, "stylize", "sample:scene", "sample:painting", "-o", "out.png", "--config",
                           name, says="configuration")
        self.write_config("[" + "a." * 15000 + "a]\n")
        self.refuse("'a'")

    def test_control_characters_stay_out_of_messages(self):
        with open(self.path("run.toml"), "w", encoding="utf-8") as file:
            file.write('"\\u001b]0;x\\u0007\\nfake: all is well" = 1\n')
        result = self.run_program("stylize", "sample:scene", "sample:painting", "-o", "out.png",
                                  "--config", "run.toml")
        self.assertEqual(result.returncode, 2)
        self.assertNotIn("\x1b", result.stderr)
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)

    def test_a_name_that_the_system_would_cut_short(self):
        self.write_config('weights = "w.h5\\u0000.png"\n')
        self.refuse("run.toml", "NUL")

    def test_every_command_takes_the_environment(self):
        self.succeed("samples", ".", env={"IMPASTO_SIZE": "32"})
        self.assertEqual(png.Picture(self.path("scene.png")).width, 32)
        self.succeed("devices", env={"IMPASTO_SIZE": "32"})

    def test_a_variable_that_is_no_setting_is_noted(self):
        result = self.succeed("devices", env={"IMPASTO_STYLEWEIGHT": "3"})
        self.assertIn("did you mean 'IMPASTO_STYLE_WEIGHT'?", result.stderr)

    def test_layers_as_people_write_them(self):
        config = self.plan("--style-layers", "Conv1_1:0.5, CONV2_1 : 0.25")
        self.assertEqual(config["style_layers"], {"conv1_1": 0.5, "conv2_1": 0.25})

    def test_a_setting_of_another_command_is_not_a_mistake(self):
        self.write_config('layer = "conv4_2"\nsize = 100\n')
        self.assertEqual(self.plan("--config", "run.toml")["size"], 100)


if __name__ == "__main__":
    unittest.main()
