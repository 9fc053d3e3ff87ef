# SPDX-License-Identifier: MIT
"""A batch that is killed, or whose file system fails, at any point ends with the same bytes once it
goes on. TEST_FILE_FAULTS is the library that makes it so, by standing in for functions of the C library: quick, and exact
about whose call fails. Each point fails in one of four ways, which take turns; TEST_KILLS=full for every way at every
point, of a batch with a picture more (`./dev test --kills`). Then strace does it as well, for it sees every system call:
the library passes over those that other libraries make inside themselves, as when they walk through folders."""

import os
import random
import re
import shutil
import signal
import subprocess
import time
import unittest
import zlib

import jpeg
import png
from batch_harness import BatchTest
from harness import PROGRAM, environment, weights

FAULTS = os.environ.get("TEST_FILE_FAULTS")
FULL = os.environ.get("TEST_KILLS") == "full"
# 24 x 16 pixels of which no turn is like another.
BLOCKS = [[(10,), (100,), (200,)], [(255,), (0,), (50,)]]


class FewPictures(BatchTest):
    """A batch of small pictures in two folders."""

    count = 3 if FULL else 2

    options = ("--content-layers", "conv1_1", "--style-layers", "conv1_1", "--size", "16", "--iterations", "1",
               "--learning-rate", "0.5")

    def setUp(self):
        super().setUp()
        self.pictures(self.count - 1)
        self.picture("in/deep/2.png", 2)

    def command(self):
        return self.arguments(styles=("styles/red.png",), output=self.path("out"))

    def check_outputs_are_whole(self, whole, name):
        if os.path.exists(self.path("out")):
            for output, digest in self.outputs().items():
                self.assertEqual(digest, whole[output], f"{name}: {output} is not whole")

    def check_the_end(self, whole, name):
        self.assertEqual(self.outputs(), whole, name)
        self.assertEqual(sorted(self.records()), sorted(whole), name)
        self.assertEqual(self.records("failed"), {}, name)
        self.assertEqual(self.debris(), [], name)
        shutil.rmtree(self.path("out"))


@unittest.skipUnless(FAULTS, "a sanitizer has to be loaded first, so nothing else can be")
class KillPointsTest(FewPictures):
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
        self.assertEqual(len(outputs), self.count)
        shutil.rmtree(self.path("out"))
        return outputs, points

    def check(self, process, at, kind, whole):
        name = f"{kind} at {at} of {process}"
        result = self.run_with_fault(process, at, kind)
        self.assertTrue(os.path.exists(self.path("once")), name)
        os.remove(self.path("once"))
        self.check_outputs_are_whole(whole, name)
        if kind == "KILL":
            # A worker that is killed costs nothing.
            self.assertEqual(result.returncode, -signal.SIGKILL if process == "batch" else 0, name + result.stderr)
        again = self.run_program(*self.command())
        self.assertEqual(again.returncode, 0, f"{name}: {result.stderr}, then {again.stderr}")
        self.check_the_end(whole, name)

    def test_killed_at_every_point(self):
        for process, fewest in (("batch", 15), ("batch-worker", 40 if FULL else 30)):
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


# The calls that open, write, flush, rename, link or remove, by whatever name a machine has them.
CALLS = ("open", "openat", "openat2", "creat", "write", "pwrite64", "writev", "fsync", "fdatasync", "rename", "renameat",
         "renameat2", "link", "linkat", "unlink", "unlinkat", "mkdir", "mkdirat", "ftruncate")


@unittest.skipUnless(FULL and shutil.which("strace"), "takes minutes, and strace")
class SystemCallsTest(FewPictures):
    """strace has the k-th call of a kind fail, in every thread that makes so many."""

    def strace(self, *options):
        return subprocess.run(
            ["strace", "-f", "-y", "-qq", "-o", self.path("trace"), *options, PROGRAM, *self.command()],
            cwd=self.folder, env=environment(), capture_output=True, text=True, timeout=120, check=False)

    def points(self):
        """Every call and k so that the k-th of a thread is on something in the output folder."""
        result = self.strace("-e", "trace=" + ",".join(f"?{call}" for call in CALLS))
        self.assertEqual(result.returncode, 0, result.stderr)
        points, made = set(), {}
        with open(self.path("trace"), encoding="utf-8", errors="replace") as file:
            for line in file:
                match = re.match(r"(\d+) +(\w+)\((.*)", line)
                if not match:
                    continue
                thread, call, rest = match.groups()
                k = made[thread, call] = made.get((thread, call), 0) + 1
                if self.path("out") in rest:
                    points.add((call, k))
        return sorted(points)

    def test_every_system_call_fails(self):
        points = self.points()
        whole = self.outputs()
        self.assertEqual(len(whole), self.count)
        shutil.rmtree(self.path("out"))
        self.assertGreater(len(points), 60, points)
        for call, k in points:
            for fault in ("signal=KILL", "error=EIO", "error=ENOSPC", "error=EMFILE", "error=EACCES"):
                self.check(call, k, fault, whole)
        print(f"{len(points)} points by strace, each in five ways")

    def check(self, call, k, fault, whole):
        name = f"{fault} at {k} of {call}"
        result = self.strace("-e", f"trace={call}", "-e", f"inject={call}:{fault}:when={k}")
        with open(self.path("trace"), encoding="utf-8", errors="replace") as file:
            self.assertRegex(file.read(), r"INJECTED|killed by SIGKILL", name)
        self.check_outputs_are_whole(whole, name)
        again = self.run_program(*self.command())
        if again.returncode == 3:  # the fault has hit a picture's file as well
            again = self.run_program("resume", "out", "--retry-failed")
        self.assertEqual(again.returncode, 0, f"{name}: {result.stderr}, then {again.stderr}")
        self.check_the_end(whole, name)


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


def turned(blocks, orientation):
    """How a picture is stored that readers turn upright by this orientation of EXIF."""
    height, width = len(blocks), len(blocks[0])
    from_stored = {
        1: lambda y, x: (y, x), 2: lambda y, x: (y, width - 1 - x), 3: lambda y, x: (height - 1 - y, width - 1 - x),
        4: lambda y, x: (height - 1 - y, x), 5: lambda y, x: (x, y), 6: lambda y, x: (x, width - 1 - y),
        7: lambda y, x: (height - 1 - x, width - 1 - y), 8: lambda y, x: (height - 1 - x, y)}[orientation]
    rows, columns = (height, width) if orientation < 5 else (width, height)
    return [[blocks[a][b] for a, b in (from_stored(y, x) for x in range(columns))] for y in range(rows)]


class HostilePicturesTest(BatchTest):
    """60 usual pictures, and some 90 that are odd or cannot be read."""

    def setUp(self):
        super().setUp()
        os.chmod(self.folder, 0o755)
        os.mkdir(self.path("out"))
        # Root may read everything, so it runs the program as somebody else.
        self.somebody = {}
        if os.geteuid() == 0:
            self.somebody = {"user": 65534, "group": 65534}
            os.chown(self.path("out"), 65534, 65534)

    def usual(self):
        for i in range(60):
            self.picture(f"in/good{i}.png", i, width=16 + i % 3, height=16)
        return 60

    def odd(self):
        """Pictures that are seldom seen, and can be read; how many."""
        png.write(self.path("in/deep.png"), 16, 16, lambda x, y: (x * 4000, y * 4000, 900), bits=16)
        png.write(self.path("in/clear.png"), 16, 16, lambda x, y: (x, y, 9, 15 * x), alpha=True)
        png.write_palette(self.path("in/palette.png"), 16, 16, [(9, 9, 9), (200, 30, 0)], lambda x, y: (x + y) % 2)
        self.picture("in/point.png", 1, width=1, height=1)
        self.picture("in/bar.png", 1, width=1, height=30000)
        jpeg.write(self.path("in/cmyk.jpg"), [[(255, 255, 0, 255), (0, 255, 255, 255)]], adobe=True)
        jpeg.write(self.path("in/grey.jpg"), [[(10,), (200,)]])
        jpeg.write(self.path("in/jpeg.png"), [[(76, 85, 255), (149, 43, 21)]])
        self.picture("in/png.png", 1)
        os.rename(self.path("in/png.png"), self.path("in/png.jpg"))
        for orientation in range(1, 9):
            jpeg.write(self.path(f"in/turned{orientation}.jpg"), turned(BLOCKS, orientation), orientation)
        jpeg.write(self.path("in/upright.jpg"), BLOCKS)
        self.picture("in/two\nlines.png", 1)
        self.picture("in/bell\x07\x1b[31m.png", 1)
        with open(self.path("in/two\nlines.png"), "rb") as file, open(self.bytes_path(b"in/\xff.png"), "wb") as copy:
            copy.write(file.read())
        self.picture("in/folder.png/inside.png", 1)
        os.symlink("good0.png", self.path("in/link.png"))
        return 9 + 9 + 5

    def bytes_path(self, name):
        return os.path.join(self.folder.encode(), name)

    def write(self, name, data):
        with open(self.path(f"in/{name}"), "wb") as file:
            file.write(data)

    def hostile(self):
        """What cannot be read; how many."""
        self.picture("whole.png", 3, width=64, height=64)
        with open(self.path("whole.png"), "rb") as file:
            whole = file.read()
        for i in range(12):
            self.write(f"cut{i}.png", whole[: 20 + i * (len(whole) - 40) // 12])
        for i in range(8):
            at = 60 + 17 * i
            self.write(f"broken{i}.png", whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :])
        jpeg.write(self.path("whole.jpg"), [[(i,) for i in range(0, 240, 3)]] * 20)
        with open(self.path("whole.jpg"), "rb") as file:
            whole = file.read()
        for i in range(4):
            self.write(f"cut{i}.jpg", whole[: len(whole) * (i + 1) // 5])
        for i, text in enumerate((b"", b"no picture\n", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.4\n",
                                  b"GIF89a\1\0\1\0\0\0\0;")):
            self.write(f"text{i}.png", text)
        for i in range(4):
            self.write(f"bomb{i}.png", png.header(60000 - i, 60000) + png.chunk(b"IDAT", b"") +
                       png.chunk(b"IEND", b""))
        # As large as is read at all, of which 90 MB come out of 90 KB before it ends.
        self.write("bomb.png", png.header(10000, 10000) + png.chunk(b"IDAT", zlib.compress(bytes(90003000))) +
                   png.chunk(b"IEND", b""))
        for i in range(3):
            self.write(f"nothing{i}.png", png.header(0, i) + png.chunk(b"IEND", b""))
        for i in range(3):
            os.mkfifo(self.path(f"in/pipe{i}.png"))
        for i in range(2):
            os.symlink("nowhere", self.path(f"in/dangling{i}.png"))
        os.symlink("loop.png", self.path("in/loop.png"))
        os.symlink("/dev/zero", self.path("in/endless.png"))
        self.picture("in/secret.png", 1)
        os.chmod(self.path("in/secret.png"), 0)
        # Names of 255 bytes, whose results' would be longer.
        self.picture(f"in/{'n' * 251}.png", 1)
        self.picture(f"in/{'é' * 125}x.png", 1)
        return 12 + 8 + 4 + 5 + 4 + 1 + 3 + 3 + 2 + 1 + 1 + 1 + 2

    def test_hostile_and_odd_pictures_among_sixty_usual_ones(self):
        good, bad = self.usual() + self.odd(), self.hostile()
        try:
            result = self.batch_fails(3, "--size", "16", styles=("styles/red.png",), options=self.somebody,
                                      says=f"{bad} of {good + bad} items failed")
        except PermissionError:
            self.skipTest("another user may not run the program")
        outputs = self.outputs()
        self.assertEqual(len(outputs), good, result.stderr)
        for orientation in range(1, 9):
            self.assertEqual(outputs[f"turned{orientation}_red.jpg"], outputs["upright_red.jpg"], orientation)
        failed = self.records("failed")
        self.assertEqual(len(failed), bad)
        for record in failed.values():
            self.assertIn(record["exit_code"], (2, 3), record)
            self.assertGreater(len(record["reason"]), 10)
        self.assertIn("ermission denied", failed["secret_red.png"]["reason"])
        # Nothing in a name reaches the terminal as it is.
        self.assertNotIn("\x1b", result.stderr)
        self.assertEqual(self.status(), {"total": good + bad, "done": good, "failed": bad, "missing": 0})
        # One of the bombs alone would have 10 GiB of pixels.
        peak = self.peak(self.arguments("--size", "16", styles=("styles/red.png",), output="again"), 3)
        self.assertLess(peak, 1 << 20)


if __name__ == "__main__":
    unittest.main()
