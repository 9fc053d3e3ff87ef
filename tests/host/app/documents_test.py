# SPDX-License-Identifier: MIT
"""What the pages say of the command line is so: options, exit codes, the log's keys, the examples."""

import re
import unittest
from pathlib import Path

from harness import ProgramTest, read_log

ROOT = Path(__file__).resolve().parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = ("stylize", "batch", "sweep", "frames", "resume", "status", "score", "activations", "weights get",
            "weights convert", "weights inspect", "weights generate", "samples", "devices", "check")
OPTION = r"(?<![\w-])--[a-z][a-z-]*"


def command_line_page():
    return (ROOT / "docs/command_line.md").read_text(encoding="utf-8")


def section(page, title):
    """The text below a heading, up to the next one of its depth or a higher one."""
    hashes = re.search(rf"(?m)^(#+) {title}$", page)
    return re.split(rf"(?m)^#{{1,{len(hashes.group(1))}}} ", page[hashes.end():])[0]


def examples(page):
    """Every command line of the program in the page's blocks of code, on one line."""
    for language, block in re.findall(r"(?ms)^ *```(\w*)[^\n]*\n(.*?)^ *```", page):
        if language:
            continue
        for line in block.replace("\\\n", " ").splitlines():
            found = re.match(r"\s*(?:\S*/|srun .*)?impasto ((?:weights )?[a-z]+)\b(.*)", line)
            if found and found.group(1) in COMMANDS:
                yield found.group(1), found.group(2).split(" # ")[0]


class DocumentsTest(ProgramTest):
    def options(self, command):
        help_text = self.succeed(*command.split(), "--help").stdout
        return set(re.findall(r"(?m)^  (?:-\w,)?(--[a-z][a-z-]*)", help_text)) - {"--help"}

    def options_of_a_picture(self, command):
        """What a picture depends on: each option, and its text in --help."""
        groups = re.split(r"(?m)^(?=\w[\w ]*:$)", self.succeed(*command.split(), "--help").stdout)
        found = {}
        for group in groups:
            if group.startswith(("Objective:", "Optimisation:", "Network and machine:")):
                found |= dict(re.findall(r"(?m)^  (--[a-z][a-z0-9-]*)(.*(?:\n   .*)*)", group))
        self.assertGreater(len(found), 3, command)
        return found

    def test_help_has_the_default_of_every_option_of_a_picture(self):
        for command in ("stylize", "batch", "sweep", "frames", "score", "activations"):
            for option, text in self.options_of_a_picture(command).items():
                if re.match(r" \S", text):  # it takes a value
                    self.assertRegex(text, r"\[[^][]+\]\s*$", f"{command} {option}")

    def test_the_defaults_in_help_are_those_of_a_run(self):
        """As far as they are values, not an explanation."""
        arguments = self.stylize_arguments("--dry-run")
        plan = self.succeed(*arguments, env={"OMP_NUM_THREADS": "1"}).stdout
        said = dict(line.split(None, 1) for line in plan.splitlines() if len(line.split(None, 1)) == 2)
        count = 0
        for option, text in self.options_of_a_picture("stylize").items():
            default = re.search(r"\[([\w.-]+)\]\s*$", text)
            plain = default and (default[1][0].isdigit() or default[1] in re.split(r"[|\s]+", text))
            if plain and option[2:] in said and option not in arguments:
                count += 1
                self.assertEqual(said[option[2:]], default[1], option)
        self.assertGreater(count, 25)

    def test_the_tutorial_says_when_to_reach_for_every_option(self):
        tutorial = (ROOT / "docs/tutorial.md").read_text(encoding="utf-8")
        self.assertGreater(self.options("stylize"), set(self.options_of_a_picture("stylize")))
        self.assertEqual(self.options("stylize") - set(re.findall(OPTION, tutorial)), {"--output"})
        self.assertIn(" -o ", tutorial)

    def test_the_page_names_every_option_and_no_other(self):
        page = command_line_page()
        named = set(re.findall(OPTION, page))
        known = set()
        for command in COMMANDS:
            known |= self.options(command)
        self.assertGreater(len(known), 50)
        self.assertEqual(known - named, set(), "options that the page does not name")
        self.assertEqual(named - known, {"--help", "--version", "--array"} - known, "what the page calls options")

    def test_each_section_has_the_options_of_its_command(self):
        page = command_line_page()
        stylize = set(re.findall(OPTION, section(page, "stylize")))
        self.assertEqual(self.options("stylize") - stylize, set())
        shared = self.options("batch") - self.options("stylize")
        self.assertEqual(shared - set(re.findall(OPTION, section(page, "batch"))), set())
        own = self.options("sweep") - self.options("stylize")
        self.assertEqual(own - set(re.findall(OPTION, section(page, "sweep"))), set())
        own = self.options("frames") - self.options("stylize")
        self.assertEqual(own - set(re.findall(OPTION, section(page, "frames"))), set())
        for command in ("resume", "status", "devices", "check"):
            own = self.options(command) - {"--quiet", "--config", "--no-plan-cache"}
            self.assertEqual(own - set(re.findall(OPTION, section(page, command))), set(), command)

    def test_examples_use_options_that_there_are(self):
        options = {command: self.options(command) for command in COMMANDS}
        count = 0
        for page in PAGES:
            for command, rest in examples(page.read_text(encoding="utf-8")):
                count += 1
                unknown = set(re.findall(OPTION, rest)) - options[command]
                self.assertEqual(unknown, set(), f"{page.name}: impasto {command}{rest}")
        self.assertGreater(count, 20)

    def test_the_exit_codes_are_those_of_the_code(self):
        source = (ROOT / "host/core/error.hpp").read_text(encoding="utf-8")
        codes = set(re.findall(r"(?m)^  \w+ = (\d+),", source))
        listed = re.findall(r"(?m)^\| ([\d, ]+) \|", section(command_line_page(), "Exit codes"))
        named = {code for row in listed for code in row.replace(",", " ").split()}
        self.assertEqual({code for code in named if int(code) < 128}, codes | {"0"})

    def test_the_log_has_the_keys_of_the_page(self):
        self.stylize("--log", "run.jsonl", iterations=1)
        start, iteration, *_, end = read_log(self.path("run.jsonl"))
        text = section(command_line_page(), "The log")
        named = set(re.findall(r"`(\w+)`", text)) | set(re.findall(r'"(\w+)":', text))
        keys = set(start) | set(start["config"]) | set(iteration) | set(end) - {"losses"}
        self.assertEqual(keys - named, set(), "keys that the page does not name")
        table = re.search(r"(?s)\| `config\.` \|.*?\n\n", text).group()
        rows = re.findall(r"(?m)^\| (`.*?) \|", table)
        config = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
        self.assertEqual(config, set(start["config"]))

    def test_the_configuration_file_of_the_page_is_read(self):
        text = re.search(r"(?s)```toml\n(.*?)```", command_line_page()).group(1)
        with open(self.path("run.toml"), "w", encoding="utf-8") as file:
            file.write(text)
        plan = self.succeed("stylize", "sample:scene", "sample:painting", "-o", "out.png", "--dry-run", "--config",
                            "run.toml").stdout
        for name, value in re.findall(r"(?m)^([\w-]+) = ([\d.]+)$", text):
            self.assertRegex(plan, rf"(?m)^{name} +{value}$")


if __name__ == "__main__":
    unittest.main()
