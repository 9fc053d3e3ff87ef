# SPDX-License-Identifier: MIT
"""A batch that is killed, or whose file system fails, at any point ends with the same bytes once it
goes on. TEST_FILE_FAULTS is the library that makes it so. Each point fails in one of four ways, which take turns;
TEST_KILLS=full for every way at every point (`./dev test --kills`)."""

import os
import random
import shutil
import signal
import time
import unittest

import png
from batch_harness import BatchTest
from harness import weights

FAULTS = os.environ.get("TEST_FILE_FAULTS")
FULL = os.environ.get("TEST_KILLS") == "full"


@unittest.skipUnless(FAULTS, "a sanitizer has to be loaded first, so nothing else can be")
class KillPointsTest(BatchTest):
    """A batch of three small pictures in two folders."""

    options = ("--content-layers", "conv1_1", "--style-layers", "conv1_1", "--size", "16", "--iterations", "1",
               "--learning-rate", "0.5")

    def setUp(self):
        super().setUp()
        self.pictures(2)
        self.picture("in/deep/2.png", 2)

    def command(self):
        return self.arguments(styles=("styles/red.png",), output=self.path("out"))

    def run_with_fault(self, process, at, kind="", count=""):
        """A batch in which the `at`-th call of a process fails, once."""
        return self.run_program(*self.command(), env={
            "LD_PRELOAD": FAULTS, "FAULT_UNDER": self.path("out"), "FAULT_IN": process, "FAULT_AT": str(at),
            "FAULT_KIND": kind, "FAULT_ONCE": self.path("once"), "FAULT_COUNT": count})

    def whole(self, process):
        """The results of an undisturbed run, and how many points the process has."""
        result = self.run_with_fault(process, 0, count=self.path("count"))
        self.assertEqual(result.returncode, 0, result.stderr)
        with open(self.path("count"), encoding="ascii") as file:
            points = int(file.read())
        outputs = self.outputs()
        self.assertEqual(len(outputs), 3)
        shutil.rmtree(self.path("out"))
        return outputs, points

    def check(self, process, at, kind, whole):
        name = f"{kind} at {at} of {process}"
        result = self.run_with_fault(process, at, kind)
        self.assertTrue(os.path.exists(self.path("once")), name)
        os.remove(self.path("once"))
        if os.path.exists(self.path("out")):
            for output, digest in self.outputs().items():
                self.assertEqual(digest, whole[output], f"{name}: {output} is not whole")
        if kind == "KILL":
            # A worker that is killed costs nothing.
            self.assertEqual(result.returncode, -signal.SIGKILL if process == "batch" else 0, name + result.stderr)
        again = self.run_program(*self.command())
        self.assertEqual(again.returncode, 0, f"{name}: {result.stderr}, then {again.stderr}")
        self.assertEqual(self.outputs(), whole, name)
        self.assertEqual(sorted(self.records()), sorted(whole), name)
        self.assertEqual(self.records("failed"), {}, name)
        self.assertEqual(self.debris(), [], name)
        shutil.rmtree(self.path("out"))

    def test_killed_at_every_point(self):
        for process, fewest in (("batch", 15), ("batch-worker", 40)):
            whole, points = self.whole(process)
            self.assertGreater(points, fewest)
            for at in range(1, points + 1):
                self.check(process, at, "KILL", whole)

    def test_every_point_fails(self):
        kinds = ("EIO", "ENOSPC", "EMFILE", "EACCES")
        for process in ("batch", "batch-worker"):
            whole, points = self.whole(process)
            for at in range(1, points + 1):
                for kind in kinds if FULL else (kinds[at % len(kinds)],):
                    self.check(process, at, kind, whole)


@unittest.skipUnless(FAULTS, "a sanitizer has to be loaded first, so nothing else can be")
class WorkersTest(BatchTest):
    """Workers that are lost take nothing with them."""

    def setUp(self):
        super().setUp()
        self.pictures(6)
        self.batch(styles=("styles/red.png",), output="whole")
        self.whole = self.outputs("whole")

    def faulty(self, under, kind, *more, at=1, **variables):
        return self.run_program(*self.arguments(*more, styles=("styles/red.png",)), env={
            "LD_PRELOAD": FAULTS, "FAULT_UNDER": self.path(under), "FAULT_IN": "batch-worker", "FAULT_AT": str(at),
            "FAULT_KIND": kind, **variables})

    def test_a_picture_that_crashes_every_worker_is_given_up(self):
        for kind, says in (("CRASH", "signal 11"), ("KILL", "signal 9")):
            result = self.faulty("in/3.png", kind)
            self.assertEqual(result.returncode, 3, result.stderr)
            expected = {name: digest for name, digest in self.whole.items() if name != "3_red.png"}
            self.assertEqual(self.outputs(), expected)
            self.assertIn(says, self.records("failed")["3_red.png"]["reason"])
            self.succeed("resume", "out", "--retry-failed")
            self.assertEqual(self.outputs(), self.whole)
            shutil.rmtree(self.path("out"))

    def test_a_worker_that_hangs_is_ended(self):
        result = self.faulty("in/3.png", "HANG", "--watchdog", "15", FAULT_ONCE=self.path("once"))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("hung", result.stderr)
        self.assertEqual(self.outputs(), self.whole)

    def test_another_device_makes_what_one_has_lost(self):
        result = self.faulty("in/3.png", "CRASH", "--devices", "cpu,cpu", FAULT_ONCE=self.path("once"))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.outputs(), self.whole)

    def test_no_device_is_left(self):
        # Nothing that needs the network's weights works any more.
        result = self.faulty("w.h5", "CRASH", "--weights", self.copied_weights())
        self.assertEqual(result.returncode, 75, result.stderr)
        self.assertIn("no device is left", result.stderr)
        self.assertEqual(self.status(), {"total": 6, "done": 0, "failed": 0, "missing": 6})
        self.succeed("resume", "out")
        self.assertEqual(len(self.outputs()), 6)

    def copied_weights(self):
        shutil.copy(weights(), self.path("w.h5"))
        return self.path("w.h5")

    def test_killed_at_random(self):
        """Workers and now and then the supervisor, until all is done."""
        chance = random.Random(1)
        for _ in range(12):
            process = self.start(*self.arguments("--iterations", "30", output="out"))
            time.sleep(chance.uniform(0.05, 0.6))
            victims = self.workers_of(process.pid)
            if chance.random() < 0.3 or not victims:
                process.kill()
            else:
                os.kill(chance.choice(victims), signal.SIGKILL)
                time.sleep(0.1)
                process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
        self.batch("--iterations", "30")
        self.assertEqual(sorted(self.records()), sorted(self.outputs()))
        self.batch("--iterations", "30", output="undisturbed")
        self.assertEqual(self.outputs(), self.outputs("undisturbed"))
        self.assertEqual(self.debris(), [])

    def workers_of(self, process):
        with open(f"/proc/{process}/task/{process}/children", encoding="ascii") as file:
            return [int(child) for child in file.read().split()]


class HostilePicturesTest(BatchTest):
    def good(self):
        """60 pictures that can be read."""
        for i in range(50):
            self.picture(f"in/good{i}.png", i, width=16 + i % 3, height=16)
        for i in range(3):
            os.rename(self.path(f"in/good{i}.png"), self.path(f"in/good{i}.jpg"))
        os.rename(self.path("in/good4.png"), self.path("in/good\nline.png"))
        self.picture("in/point.png", 1, width=1, height=1)
        self.picture("in/bar.png", 1, width=300, height=1)
        for i in range(4):
            png.write(self.path(f"in/deep{i}.png"), 16, 16, lambda x, y, i=i: (x * 4000, y * 4000, i * 900),
                      bits=16)
            png.write(self.path(f"in/clear{i}.png"), 16, 16, lambda x, y, i=i: (x, y, i, 15 * x), alpha=True)
        return 60

    def write(self, name, data):
        with open(self.path(f"in/{name}.png"), "wb") as file:
            file.write(data)

    def hostile(self):
        """40 that cannot."""
        self.picture("whole.png", 3, width=64, height=64)
        with open(self.path("whole.png"), "rb") as file:
            whole = file.read()
        for i in range(12):
            self.write(f"cut{i}", whole[: 20 + i * (len(whole) - 40) // 12])
        for i in range(8):
            at = 60 + 17 * i
            self.write(f"broken{i}", whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :])
        for i in range(5):
            self.write(f"text{i}", b"no picture\n" * i)
        for i in range(4):
            self.write(f"bomb{i}", png.header(60000 - i, 60000) + png.chunk(b"IDAT", b"") +
                       png.chunk(b"IEND", b""))
        for i in range(3):
            self.write(f"nothing{i}", png.header(0, i) + png.chunk(b"IEND", b""))
        for i in range(3):
            os.mkfifo(self.path(f"in/pipe{i}.png"))
        for i in range(2):
            os.symlink("nowhere", self.path(f"in/dangling{i}.png"))
        os.symlink("loop.png", self.path("in/loop.png"))
        os.mkdir(self.path("in/folder.png"))
        # Their results' names would be too long.
        self.picture(f"in/{'n' * 250}.png", 1)
        self.picture(f"in/{'é' * 125}.png", 1)
        return 40

    def test_forty_hostile_pictures_among_sixty_good_ones(self):
        good, bad = self.good(), self.hostile()
        result = self.batch_fails(3, "--size", "16", styles=("styles/red.png",),
                                  says=f"{bad} of {good + bad} items failed")
        self.assertEqual(len(self.outputs()), good, result.stderr)
        failed = self.records("failed")
        self.assertEqual(len(failed), bad)
        for record in failed.values():
            self.assertIn(record["exit_code"], (2, 3), record)
            self.assertGreater(len(record["reason"]), 10)
        self.assertEqual(self.status(), {"total": 100, "done": 60, "failed": 40, "missing": 0})
        # One of the bombs alone would have 10 GiB of pixels.
        peak = self.peak(self.arguments("--size", "16", styles=("styles/red.png",), output="again"), 3)
        self.assertLess(peak, 1 << 20)


if __name__ == "__main__":
    unittest.main()
