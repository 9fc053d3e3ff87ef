# SPDX-License-Identifier: MIT
"""build_commit.cmake, which every build runs: what it says of a tree, and that it says it once.

usage: build_commit_test.py CMAKE
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

CMAKE = sys.argv.pop(1)
SCRIPT = Path(__file__).resolve().parents[2] / "cmake" / "build_commit.cmake"


def git(folder, *arguments):
    names = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(folder), *names, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


class BuildCommit(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.tree = Path(folder.name) / "tree"
        self.tree.mkdir()
        self.header = Path(folder.name) / "commit.hpp"

    def said(self):
        command = [CMAKE, f"-DSOURCE={self.tree}", f"-DOUTPUT={self.header}", "-P", str(SCRIPT)]
        subprocess.run(command, check=True)
        return [line.split('"')[1] for line in self.header.read_text().splitlines()]

    def commit(self):
        (self.tree / "file").write_text("one")
        git(self.tree, "init", "-q")
        git(self.tree, "add", "file")
        git(self.tree, "commit", "-q", "-m", "one")
        return git(self.tree, "rev-parse", "HEAD")

    def test_a_tree_as_committed_is_clean_and_one_with_changes_is_not(self):
        commit = self.commit()
        self.assertEqual(self.said(), [commit, "false"])
        (self.tree / "file").write_text("another")
        self.assertEqual(self.said(), [commit, "true"])

    def test_the_header_is_touched_only_when_it_would_say_something_else(self):
        self.commit()
        self.said()
        os.utime(self.header, (1, 1))
        self.said()
        self.assertEqual(self.header.stat().st_mtime, 1)
        (self.tree / "new").write_text("")
        self.said()
        self.assertGreater(self.header.stat().st_mtime, 1)

    def test_a_file_in_json_says_the_same(self):
        self.header = self.header.with_suffix(".json")
        commit = self.commit()
        self.said()
        self.assertEqual(json.loads(self.header.read_text()), {"commit": commit, "dirty": "false"})

    def test_outside_of_a_repository_nothing_is_known(self):
        self.assertEqual(self.said(), ["unknown", "unknown"])

    def test_a_repository_around_the_tree_is_not_meant(self):
        git(self.tree.parent, "init", "-q")
        self.assertEqual(self.said(), ["unknown", "unknown"])


if __name__ == "__main__":
    unittest.main()
