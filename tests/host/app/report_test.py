# SPDX-License-Identifier: MIT
"""--report: a page that needs nothing else, shows what the log says, and has the command that makes the picture."""

import base64
import os
import re
import shlex
import shutil
import subprocess
import sys
import unittest
from html.parser import HTMLParser
from pathlib import Path

import png
from harness import PROGRAM, ProgramTest, environment, read_log

sys.path.append(str(Path(__file__).resolve().parents[2]))
from browser import complaints, find_browser  # noqa: E402

VOID = ("meta", "link", "img", "input")


class Page(HTMLParser):
    """The elements of a page, whose tags must match, and the texts by the element they stand in."""

    def __init__(self, path):
        super().__init__()
        self.elements, self.texts, self.open = [], [], []
        self.source = Path(path).read_text(encoding="utf-8")
        self.feed(self.source)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag

    def handle_data(self, data):
        if data.strip():
            self.texts.append((self.open[-1], data))

    def all(self, tag, **attributes):
        return [found for name, found in self.elements
                if name == tag and all(attributes[key] in (found.get(key) or "") for key in attributes)]

    def text(self, tag):
        return [data for name, data in self.texts if name == tag]

    def row(self, name):
        names = [i for i, one in enumerate(self.texts) if one == ("th", name)]
        assert len(names) == 1, name
        return self.texts[names[0] + 1][1]


class ReportTest(ProgramTest):
    def report(self, *more, iterations=3, size=48, env=None, **pictures):
        arguments = self.stylize_arguments("--report", "r.html", "--iterations", iterations, *more, **pictures)
        arguments[arguments.index("--size") + 1] = size
        self.succeed(*arguments, env=env or {})
        return Page(self.path("r.html"))

    def test_needs_nothing_else(self):
        page = self.report()
        for _, attributes in page.elements:
            for name in ("src", "href"):
                if name in attributes:
                    self.assertTrue(attributes[name].startswith("data:"), attributes[name][:60])
        self.assertEqual(page.all("script") + page.all("iframe"), [])
        self.assertNotRegex(page.source, r"https?://|@import|url\(|\bnan\b|\binf\b")

    def test_shows_the_pictures(self):
        pictures = self.report().all("img")
        self.assertEqual([one["alt"] for one in pictures], ["the content", "the result", "a style"])
        for one in pictures:
            data = base64.b64decode(one["src"].removeprefix("data:image/jpeg;base64,"), validate=True)
            self.assertTrue(data.startswith(b"\xff\xd8\xff") and data.endswith(b"\xff\xd9"))
        self.assertEqual([(one["width"], one["height"]) for one in pictures[:2]], [("48", "36")] * 2)

    def test_says_what_the_log_says(self):
        page = self.report("--log", "run.jsonl", iterations=4)
        end = read_log(self.path("run.jsonl"))[-1]
        self.assertEqual(page.row("SHA-256 of the result"), end["sha256"])
        self.assertEqual(page.row("ending"), "finished")
        self.assertEqual(page.text("td").count("4"), 2)  # of the run, and the setting
        self.assertTrue(page.row("time").startswith(f"{end['seconds']:.2f} s"))

    def test_lists_no_setting_without_a_value(self):
        page = self.report()
        self.assertNotIn("<td></td>", page.source)
        self.assertEqual(page.row("stop_window"), "50")

    def test_curves_have_the_losses_of_the_log(self):
        page = self.report("--log", "run.jsonl", "--scales", "1", iterations=5)
        losses = [one for one in read_log(self.path("run.jsonl")) if one["event"] == "iteration"]
        # The sum, content, style and variation; a layer of the content; two of the style.
        self.assertEqual(len(page.all("path", **{"class": "curve"})), 4 + 1 + 2)
        total = [float(y) for y in re.findall(r"[ML]\S+ (\S+?)(?=[ML]|$)", page.all("path", **{"class": "curve"})[0]["d"])]
        self.assertEqual(len(total), len(losses))
        for (before, after), (y_before, y_after) in zip(zip(losses, losses[1:]), zip(total, total[1:])):
            if abs(before["loss"] - after["loss"]) > 0.05 * before["loss"]:
                self.assertEqual(before["loss"] > after["loss"], y_before < y_after)  # y grows downwards
        labels = [float(text) for text in page.text("text")[:3]]
        self.assertAlmostEqual(max(labels), max(one["loss"] for one in losses), delta=0.01 * max(labels))

    def test_a_line_breaks_where_the_size_changes(self):
        page = self.report("--scales", "2", size=192, iterations=4)
        self.assertEqual(page.all("path", **{"class": "curve"})[0]["d"].count("M"), 2)
        self.assertIn("192 px", page.text("text"))

    def test_a_long_run_has_a_thousand_points_at_most(self):
        page = self.report("--scales", "1", size=16, iterations=1201)
        path = page.all("path", **{"class": "curve"})[0]["d"]
        points = re.findall("[ML]", path)
        self.assertTrue(400 < len(points) <= 1000, len(points))
        self.assertIn("550.0 ", path)  # the last iteration is one of them
        self.assertIn("1201", page.text("text"))

    def test_its_command_makes_the_same_picture(self):
        shutil.copy(self.prepare(), self.path("it's <b>a & \"x\".png"))
        page = self.report("--style-weight", "3.5", content="it's <b>a & \"x\".png",
                           env={"IMPASTO_TV_WEIGHT": "0.25", "IMPASTO_NO_PLAN_CACHE": "false"})
        self.assertEqual(page.all("b"), [])
        words = shlex.split(page.text("pre")[0])
        self.assertEqual(words[:2], ["impasto", "stylize"])
        self.assertIn("0.25", words)
        self.assertNotIn("--no-plan-cache", words)
        first = Path(self.path("out.png")).read_bytes()
        os.remove(self.path("out.png"))
        subprocess.run([PROGRAM, *words[1:]], cwd=self.folder, env=environment(), check=True, capture_output=True)
        self.assertEqual(Path(self.path("out.png")).read_bytes(), first)

    def prepare(self):
        png.write(self.path("in.png"), 40, 40, pixel=lambda x, y: (6 * x, 6 * y, 90))
        return self.path("in.png")

    def test_does_not_take_the_place_of_another_file(self):
        self.fail_with(2, *self.stylize_arguments("--report", "r.png"), says=("r.png", ".html"))
        self.prepare()
        shutil.move(self.path("in.png"), self.path("in.html"))
        self.fail_with(2, *self.stylize_arguments("--report", "in.html", content="in.html"), says="in.html")
        self.fail_with(6, *self.stylize_arguments("--report", "no/r.html"), says="no/r.html")
        self.assertEqual(self.files(), ["in.html"])

    def test_a_browser_opens_it_without_a_word_on_its_console(self):
        browser = find_browser()
        if browser is None:
            self.skipTest("no headless browser here (chromium)")
        bad = self.path("bad.html")
        Path(bad).write_text("<svg></svg><script>console.error('planted')</script>", encoding="utf-8")
        self.assertTrue(any("planted" in one for one in complaints(browser, bad)))
        self.report()
        self.assertEqual(complaints(browser, self.path("r.html")), [])


if __name__ == "__main__":
    unittest.main()
