#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Completions, the manual page and `impasto help`: texts that the program makes from its own command line."""

import shutil
import subprocess
import unittest

from harness import PROGRAM, ProgramTest, environment


class CompletionTest(ProgramTest):
    def candidates(self, *words):
        lines = self.succeed("complete", *words).stdout.splitlines()
        return [line.split("\t")[0] for line in lines]

    def test_commands_come_first(self):
        self.assertIn("stylize", self.candidates(""))
        self.assertEqual(self.candidates("sty"), ["stylize"])
        self.assertIn("convert", self.candidates("weights", ""))

    def test_options_are_those_of_the_command(self):
        options = self.candidates("stylize", "photo.jpg", "--")
        self.assertIn("--style-weight", options)
        self.assertNotIn("--layer", options)
        self.assertEqual(self.candidates("activations", "--la"), ["--layer"])
        self.assertIn("-o", self.candidates("stylize", "-"))

    def test_values_are_those_of_the_option(self):
        self.assertIn("coursera", self.candidates("stylize", "--preset", ""))
        self.assertEqual(self.candidates("stylize", "--preset", "imp"), ["impasto"])
        self.assertEqual(self.candidates("stylize", "--init", "ra"), ["random"])

    def test_files_and_numbers_are_left_to_the_shell(self):
        self.assertEqual(self.candidates("stylize", "-o", ""), [])
        self.assertEqual(self.candidates("stylize", "--size", ""), [])
        self.assertEqual(self.candidates("stylize", "ph"), [])

    def in_shell(self, shell, *arguments):
        if shutil.which(shell) is None:
            self.skipTest(f"{shell} is not installed")
        return subprocess.run([shell, *arguments], capture_output=True, text=True, check=True, cwd=self.folder,
                              env=environment(PROGRAM=PROGRAM)).stdout

    def test_bash_completes_by_the_script(self):
        script = ('impasto() { "$PROGRAM" "$@"; }; source <(impasto completion bash); '
                  'COMP_WORDS=(impasto stylize photo.jpg --content-w); COMP_CWORD=3; _impasto; echo "${COMPREPLY[@]}"')
        self.assertEqual(self.in_shell("bash", "-c", script), "--content-weight\n")

    def test_zsh_and_fish_can_read_their_scripts(self):
        for shell in ("zsh", "fish"):
            with self.subTest(shell):
                with open(self.path(shell), "w", encoding="utf-8") as file:
                    file.write(self.succeed("completion", shell).stdout)
                self.in_shell(shell, "-n", shell)

    def test_zsh_completes_at_the_first_key(self):
        with open(self.path("_impasto"), "w", encoding="utf-8") as file:
            file.write(self.succeed("completion", "zsh").stdout)
        script = ('impasto() { "$PROGRAM" "$@"; }; compdef() { echo compdef $*; }; _describe() { echo $found; }; '
                  'words=(impasto stylize --content-w); CURRENT=3; ')
        found = "--content-weight:"
        self.assertIn(found, self.in_shell("zsh", "-f", "-c", script + "fpath=(.); autoload -Uz _impasto; _impasto"))
        sourced = self.in_shell("zsh", "-f", "-c", script + "source ./_impasto; _impasto")
        self.assertIn("compdef _impasto impasto\n" + found, sourced)

    def test_another_shell_is_refused(self):
        self.fail_with(2, "completion", "tcsh", says=["bash, zsh or fish", "tcsh"])
        self.fail_with(2, "completion", says="bash, zsh or fish")

    def test_the_manual_page_has_every_command_and_option(self):
        page = self.succeed("manual").stdout.replace("\\-", "-")
        for command in ("stylize", "score", "activations", "weights convert", "devices", "check"):
            self.assertIn(f".SS impasto {command}\n", page)
        for option in self.candidates("stylize", "-"):
            self.assertIn(option, page)

    def test_groff_finds_nothing_wrong_with_the_manual_page(self):
        if shutil.which("groff") is None:
            self.skipTest("groff is not installed")
        page = self.succeed("manual").stdout
        result = subprocess.run(["groff", "-man", "-Tutf8", "-ww"], input=page, capture_output=True, text=True, check=True)
        self.assertEqual(result.stderr, "")
        self.assertIn("neural style transfer", result.stdout)

    def test_help_is_the_same_before_and_after_a_command(self):
        self.assertEqual(self.succeed("help").stdout, self.succeed("--help").stdout)
        self.assertEqual(self.succeed("help", "weights", "convert").stdout,
                         self.succeed("weights", "convert", "--help").stdout)

    def test_help_names_a_command_that_is_not_there(self):
        for words in (("help", "stylise"), ("stylise", "--help"), ("help", "weights", "stylise")):
            self.fail_with(2, *words, says="has no command 'stylise'")
        self.assertIn("--size", self.succeed("stylize", "--sise", "3", "--help").stdout)

    def test_the_version_has_a_short_option(self):
        self.assertEqual(self.succeed("-V").stdout, self.succeed("--version").stdout)


if __name__ == "__main__":
    unittest.main()
