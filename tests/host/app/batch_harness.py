# SPDX-License-Identifier: MIT
"""Small batches: pictures to stylize, and what a run leaves."""

import hashlib
import json
import os
import subprocess
import sys

import png
from harness import LIGHT, PROGRAM, ProgramTest, environment, weights


def speckle(seed):
    """A picture that depends on the seed alone."""
    return lambda x, y: tuple((x * a + y * b + 40 * seed) * (seed + 2) % 256
                              for a, b in ((5, 3), (2, 7), (11, 1)))


PEAK = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdin=sys.stdin, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(done.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


class BatchTest(ProgramTest):
    # A small step, so that no loss rises, however strange the picture.
    options = (*LIGHT, "--size", "32", "--iterations", "2", "--learning-rate", "0.5")

    def setUp(self):
        super().setUp()
        for name in ("in", "styles"):
            os.mkdir(self.path(name))
        self.picture("styles/blue.png", 91)
        self.picture("styles/red.png", 92)

    def picture(self, name, seed=0, width=32, height=24):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        png.write(self.path(name), width, height, speckle(seed))

    def pictures(self, count, **size):
        for i in range(count):
            self.picture(f"in/{i}.png", i, **size)

    def arguments(self, *more, contents=("in",), styles=("styles",), output="out"):
        """Of a small batch; an option in `more` takes the place of the usual one."""
        chosen = ("--styles", *styles) if styles else ()
        named = () if "--weights" in more else ("--weights", weights())
        return ("batch", *contents, *chosen, "-o", output, *named, *self.without(*more), *more)

    def without(self, *names):
        """The usual options but those."""
        return [word for name, value in zip(self.options[::2], self.options[1::2]) if name not in names
                for word in (name, value)]

    def batch(self, *more, **pictures):
        options = pictures.pop("options", {})
        return self.succeed(*self.arguments(*more, **pictures), **options)

    def batch_fails(self, code, *more, says=(), **pictures):
        options = pictures.pop("options", {})
        return self.fail_with(code, *self.arguments(*more, **pictures), says=says, **options)

    def outputs(self, folder="out"):
        """The digest of every result, by its name in the folder; hidden files are left out."""
        found = {}
        for parent, folders, files in os.walk(self.path(folder)):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in files:
                if name.startswith("."):
                    continue
                path = os.path.join(parent, name)
                with open(path, "rb") as file:
                    digest = hashlib.sha256(file.read()).hexdigest()
                found[os.path.relpath(path, self.path(folder))] = digest
        return found

    def records(self, kind="done", folder="out/.impasto"):
        """Every completion record, or record of a failure, by output."""
        found = {}
        for parent, _, files in os.walk(self.path(os.path.join(folder, kind))):
            for name in files:
                with open(os.path.join(parent, name), encoding="utf-8") as file:
                    record = json.load(file)
                self.assertNotIn(record["output"], found)
                found[record["output"]] = record
        return found

    def debris(self, folder="out"):
        return [os.path.join(parent, name) for parent, _, files in os.walk(self.path(folder))
                for name in files if name.startswith(".impasto-")]

    def peak(self, arguments, code):
        """KiB that the program takes at most, which ends with `code`."""
        result = subprocess.run([sys.executable, "-c", PEAK, PROGRAM, *arguments], cwd=self.folder,
                                env=environment(), capture_output=True, text=True, timeout=300, check=True)
        ended, peak = result.stdout.split()
        self.assertEqual(int(ended), code)
        return int(peak)

    def status(self, folder="out"):
        result = self.run_program("status", folder, "--json")
        counts = json.loads(result.stdout)
        self.assertEqual(result.returncode, 0 if counts["done"] == counts["total"] else 3)
        return counts
