# SPDX-License-Identifier: MIT
"""Workers and supervisors of a batch are killed at random moments: nothing is lost and nothing is done
twice. A few kills by default; TEST_KILLS=full for 300 workers and 30 supervisors over 200 pictures
(`./dev test --kills`), which takes five minutes."""

import os
import random
import shutil
import signal
import subprocess
import unittest

from batch_harness import BatchTest
from harness import LIGHT

FULL = os.environ.get("TEST_KILLS") == "full"
PICTURES, WORKERS, SUPERVISORS = (200, 300, 30) if FULL else (20, 6, 2)


class KillsTest(BatchTest):
    options = (*LIGHT, "--size", "64", "--iterations", "4", "--learning-rate", "0.5")

    def setUp(self):
        super().setUp()
        self.pictures(PICTURES, width=64, height=64)
        self.chance = random.Random(1)
        self.left = {"worker": WORKERS, "supervisor": SUPERVISORS}
        self.made = {}  # when each recorded result was written

    def test_nothing_is_lost_and_nothing_is_done_twice(self):
        self.batch(styles=("styles/red.png",), output="whole")
        whole = self.outputs("whole")
        self.assertEqual(len(whole), PICTURES)
        runs, batches = 0, 0
        while any(self.left.values()):
            runs += 1
            process = self.start(*self.next_command())
            self.kill_until_it_ends(process)
            _, messages = process.communicate(timeout=60)
            # Where a picture has lost three workers it has failed; where a device has, none is left.
            self.assertIn(process.returncode, (0, 3, 75, -signal.SIGKILL), messages)
            self.check_finished_work()
            if self.made.keys() == whole.keys():
                self.check_whole(whole)
                batches += 1
        if os.path.exists(self.path("out")):
            self.run_program("resume", "out")  # 3 where pictures have failed
            self.succeed("resume", "out", "--retry-failed")
            self.check_finished_work()
            self.check_whole(whole)
        print(f"{WORKERS} workers and {SUPERVISORS} supervisors killed in {runs} runs of {batches + 1} batches of "
              f"{PICTURES} pictures")

    def next_command(self):
        """Begins, goes on, or tries again what has failed."""
        if os.path.exists(self.path("out/.impasto/run.json")):
            if self.status()["missing"] == 0:
                return "resume", "out", "--retry-failed"
            if self.chance.random() < 0.5:
                return "resume", "out"
        return self.arguments(styles=("styles/red.png",))

    def kill_until_it_ends(self, process):
        # Long enough for a worker to begin with its pictures, most often.
        while any(self.left.values()):
            try:
                process.wait(self.chance.uniform(0.05, 1.2))
                return
            except subprocess.TimeoutExpired:
                pass
            victims = self.workers_of(process.pid)
            kinds = [kind for kind, left in self.left.items() for _ in range(left)
                     if kind == "supervisor" or victims]
            if not kinds:
                continue
            kind = self.chance.choice(kinds)
            try:
                os.kill(process.pid if kind == "supervisor" else self.chance.choice(victims), signal.SIGKILL)
                self.left[kind] -= 1
            except ProcessLookupError:
                pass  # it has just ended by itself
        process.wait(600)

    def workers_of(self, process):
        try:
            with open(f"/proc/{process}/task/{process}/children", encoding="ascii") as file:
                return [int(child) for child in file.read().split()]
        except (FileNotFoundError, ProcessLookupError):
            return []

    def check_finished_work(self):
        """What was recorded once is recorded still, and its result was not written again."""
        if not os.path.exists(self.path("out")):
            return
        now = {name: os.stat(self.path(f"out/{name}")).st_mtime_ns for name in self.records()}
        for name, when in self.made.items():
            self.assertEqual(now[name], when, name)
        self.made = now

    def check_whole(self, whole):
        self.assertEqual(self.outputs(), whole)
        self.assertEqual(sorted(self.records()), sorted(whole))
        self.assertEqual(self.records("failed"), {})
        self.batch(styles=("styles/red.png",))  # cleans up after the last kill
        self.assertEqual(self.debris(), [])
        shutil.rmtree(self.path("out"))
        self.made = {}


if __name__ == "__main__":
    unittest.main()
