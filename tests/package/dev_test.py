# SPDX-License-Identifier: MIT
"""What `./dev` does where it can install nothing, and with a command that it does not have."""

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

DEV = Path(__file__).resolve().parents[2] / "dev"


class Dev(unittest.TestCase):
    def build(self, **commands):
        """On a system that has these commands, each a line of shell, and what ./dev cannot do without."""
        with tempfile.TemporaryDirectory() as folder:
            for tool in ("dirname", "grep"):
                os.symlink(shutil.which(tool), Path(folder) / tool)
            for name, line in {"cmake": 'echo "cmake $*"', "id": "echo 1000", **commands}.items():
                program = Path(folder) / name.replace("_", "-")
                program.write_text(f"#!{shutil.which('sh')}\n{line}\n")
                program.chmod(0o755)
            return subprocess.run([shutil.which("bash"), DEV, "build"], env={"PATH": folder}, capture_output=True, text=True)

    def test_without_apt_it_names_what_is_needed_and_builds_with_what_is_there(self):
        done = self.build()
        self.assertEqual(done.returncode, 0, done.stderr)
        for words in ("no apt-get here", " libvips-dev ", "docs/install.md", "cmake --build --preset release"):
            self.assertIn(words, done.stdout)

    def test_without_root_it_says_what_to_ask_for_and_builds_with_what_is_there(self):
        for more in ({}, {"sudo": "exit 1"}):
            with self.subTest(more):
                done = self.build(apt_get="echo apt-get ran", dpkg_query="echo installed; [ $3 != g++ ]", **more)
                self.assertEqual(done.returncode, 0, done.stderr)
                for words in ("apt-get install ", "docs/install.md", "cmake --build --preset release"):
                    self.assertIn(words, done.stdout)
                self.assertNotIn("apt-get ran", done.stdout)

    def test_an_unknown_command_is_named(self):
        done = subprocess.run([DEV, "biuld"], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr.splitlines()[-1]), (2, "./dev has no command biuld"))


if __name__ == "__main__":
    unittest.main()
