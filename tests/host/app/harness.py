# SPDX-License-Identifier: MIT
"""Runs the real program in an empty folder of its own. IMPASTO_* of the caller's environment is kept
out, and so are the weights that the caller has fetched; TEST_PROGRAM is the program and TEST_WEIGHTS a weight file that it generated."""

import atexit
import json
import os
import shutil
import subprocess
import tempfile
import time
import unittest

import png

PROGRAM = os.environ["TEST_PROGRAM"]
SAMPLES = ("sample:scene", "sample:painting")
# Seconds after which a program has hung. Under sanitizers one on the host-SIMT machine may take two minutes.
HUNG = 300 if os.environ.get("TEST_SANITIZE") else 120
# Two shallow layers: the same machinery as the whole network in a tenth of the time.
LIGHT = ("--content-layers", "conv2_1", "--style-layers", "conv1_1,conv2_1")


def environment(**extra):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("IMPASTO_")}
    clean["XDG_DATA_HOME"] = "/dev/null"
    clean.update(extra)
    return clean


def weights():
    """A generated weight file, made once."""
    global _weights
    if _weights is None:
        folder = tempfile.mkdtemp()
        atexit.register(shutil.rmtree, folder)
        _weights = os.path.join(folder, "generated.h5")
        subprocess.run([PROGRAM, "weights", "generate", _weights], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return _weights


_weights = os.environ.get("TEST_WEIGHTS")


def read_log(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


class ProgramTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="impasto_test_")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def files(self):
        return sorted(os.listdir(self.folder))

    def run_program(self, *arguments, **options):
        env = environment(**options.pop("env", {}))
        return subprocess.run([PROGRAM, *map(str, arguments)], cwd=self.folder, env=env, text=True,
                              capture_output=True, timeout=HUNG, **options)

    def succeed(self, *arguments, **options):
        result = self.run_program(*arguments, **options)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result

    def fail_with(self, code, *arguments, says=(), **options):
        """The run ends with `code`, and its message on stderr has each of `says`."""
        result = self.run_program(*arguments, **options)
        self.assertEqual(result.returncode, code, result.stderr)
        self.assertRegex(result.stderr, r"(?m)^impasto: ")
        self.assertEqual(result.stdout, "")
        for text in [says] if isinstance(says, str) else says:
            self.assertIn(text, result.stderr)
        return result

    def stylize_arguments(self, *more, content=SAMPLES[0], style=SAMPLES[1], output="out.png"):
        """A small, quick stylization; what is in `more` comes last and so is added to it."""
        return ["stylize", content, style, "-o", output, "--weights", weights(), "--size", "48",
                *LIGHT, *more]

    def stylize(self, *more, iterations=3, **pictures):
        options = pictures.pop("options", {})
        return self.succeed(*self.stylize_arguments("--iterations", iterations, *more, **pictures),
                            **options)

    def start(self, *arguments, **options):
        env = environment(**options.pop("environment", {}))
        return subprocess.Popen([PROGRAM, *map(str, arguments)], cwd=self.folder, text=True,
                                env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                **options)

    def wait_for_lines(self, process, name, count):
        """Until a log has that many lines."""
        for _ in range(3000):
            if os.path.exists(self.path(name)) and len(read_lines(self.path(name))) >= count:
                return
            if process.poll() is not None:
                self.fail(f"the program ended with {process.returncode}: {process.stderr.read()}")
            time.sleep(0.01)
        self.fail(f"{name} never had {count} lines")

    def assert_complete_picture(self, name):
        png.Picture(self.path(name))


def read_lines(path):
    with open(path, encoding="utf-8") as file:
        return file.readlines()
