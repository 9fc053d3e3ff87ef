# SPDX-License-Identifier: MIT
"""An output path holds nothing, the old file or a complete new one; whatever happens."""

import json
import math
import os
import random
import resource
import signal
import subprocess
import tempfile
import time
import unittest
import zlib

import png
from harness import LIGHT, PROGRAM, ProgramTest, environment, read_log, weights


class OutputTest(ProgramTest):
    def test_formats(self):
        beginnings = {"png": b"\x89PNG", "jpg": b"\xff\xd8\xff", "webp": b"RIFF", "tif": b"II*\0"}
        for extension, beginning in beginnings.items():
            self.stylize(iterations=1, output="out." + extension)
            with open(self.path("out." + extension), "rb") as file:
                self.assertTrue(file.read(4).startswith(beginning))

    def test_size(self):
        self.stylize(iterations=1)
        picture = png.Picture(self.path("out.png"))
        self.assertEqual((picture.width, picture.height), (48, 36))
        self.assertEqual((picture.bits, picture.channels), (8, 3))

    def test_recipe_inside_the_picture(self):
        self.stylize("--style-weight", "3.5", iterations=1)
        with open(self.path("out.png"), "rb") as file:
            key, text = png.text(file.read())
        recipe = json.loads(text)
        self.assertEqual(key, b"Comment")
        self.assertEqual(recipe["config"]["style_weight"], 3.5)
        self.assertNotIn("out.png", json.dumps(recipe))

    def test_alpha_and_depth_are_kept(self):
        png.write(self.path("in.png"), 48, 40, bits=16, alpha=True,
                  pixel=lambda x, y: (x * 1300, y * 1600, 30000, 65535 if x > 24 else 257 * y))
        self.stylize(content="in.png", iterations=1)
        written, given = png.Picture(self.path("out.png")), png.Picture(self.path("in.png"))
        self.assertEqual((written.bits, written.channels), (16, 4))
        for row, expected in zip(written.rows(), given.rows()):
            self.assertEqual(row[6::8], expected[6::8])

    def test_snapshots(self):
        self.stylize("--save-every", "2", iterations=5)
        self.assertEqual(self.files(), ["out.png", "out_0002.png", "out_0004.png"])
        for name in self.files():
            self.assert_complete_picture(name)

    def test_snapshot_is_the_picture_of_that_iteration(self):
        self.stylize("--save-every", "2", iterations=3)
        self.stylize(iterations=2, output="two.png")
        snapshot, two = (png.Picture(self.path(n)).rows() for n in ("out_0002.png", "two.png"))
        self.assertEqual(snapshot, two)

    def test_sheet(self):
        self.stylize("--sheet", "sheet.png", iterations=1)
        sheet = png.Picture(self.path("sheet.png"))
        self.assertEqual((sheet.width, sheet.height), (3 * 48 + 4 * 4, 36 + 2 * 4))
        white = b"\xff" * (3 * sheet.width)
        rows = sheet.rows()
        self.assertTrue(all(row == white for row in rows[:4] + rows[-4:]))
        result = png.Picture(self.path("out.png")).rows()
        inside = [row[3 * -52 : -12] for row in rows[4:-4]]
        self.assertEqual(inside, result)

    def test_dry_run_writes_nothing(self):
        result = self.stylize("--dry-run", "--log", "run.jsonl", "--sheet", "sheet.png")
        self.assertEqual(self.files(), [])
        self.assertIn("48x36", result.stdout)
        self.assertIn("memory", result.stdout)
        self.assertRegex(result.stdout, r"(?m)^normalize-gradients +false$")  # the longest name

    def test_from_an_empty_folder(self):
        self.succeed("stylize", "sample:scene", "sample:painting", "-o", "out.png", "--size", "32",
                     "--iterations", "1")
        self.assertEqual(self.files(), ["out.png"])

    def test_missing_folder(self):
        self.fail_with(6, *self.stylize_arguments(output="no/out.png"), says="no")
        self.fail_with(6, *self.stylize_arguments("--sheet", "no/sheet.png"), says="no")
        self.fail_with(6, "samples", "no", says="no")
        self.assertEqual(self.files(), [])

    def test_unwritable_folder(self):
        os.chmod(self.folder, 0o755)
        os.mkdir(self.path("locked"), 0o555)
        # Root may write everywhere, so it runs the program as somebody else.
        somebody = {"user": 65534, "group": 65534} if os.geteuid() == 0 else {}
        try:
            self.fail_with(6, *self.stylize_arguments(output="locked/out.png"), says="locked",
                           **somebody)
        except PermissionError:
            self.skipTest("another user may not run " + PROGRAM)

    def test_stdout_that_is_full(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            result = subprocess.run([PROGRAM, "devices"], stdout=full, stderr=subprocess.PIPE,
                                    text=True, check=False)
        self.assertEqual(result.returncode, 6)
        self.assertIn("standard output", result.stderr)


class FullDiskTest(ProgramTest):
    def check_nothing_left(self, result, folder):
        self.assertEqual(result.returncode, 6, result.stderr)
        self.assertIn("out.png", result.stderr)
        self.assertEqual([n for n in os.listdir(folder) if n != "filler"], [])

    def test_full_disk(self):
        disk = tempfile.mkdtemp()
        self.addCleanup(os.rmdir, disk)
        mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk],
                               capture_output=True, text=True, check=False)
        if mount.returncode != 0:
            self.skipTest("cannot mount a small disk: " + mount.stderr.strip())
        self.addCleanup(subprocess.run, ["umount", disk], check=True)
        with open(os.path.join(disk, "filler"), "wb") as filler:
            filler.write(b"\0" * ((1 << 20) - 8192))
        output = os.path.join(disk, "out.png")
        self.check_nothing_left(self.run_program(*self.large(output)), disk)

    def test_file_size_limit(self):
        result = self.run_program(*self.large("out.png"), preexec_fn=limit_files)
        self.check_nothing_left(result, self.folder)

    def test_file_size_limit_of_other_outputs(self):
        for arguments in (("activations", "sample:scene", "--layer", "conv1_1", "-o", "a.h5"),
                          ("weights", "generate", "g.h5"),
                          ("samples", ".", "--size", "256")):
            result = self.run_program(*arguments, preexec_fn=limit_files)
            self.assertEqual(result.returncode, 6, result.stderr)
            self.assertRegex(result.stderr, r"(?m)^impasto: ")
            self.assertEqual(self.files(), [])

    def test_file_size_limit_of_the_log(self):
        arguments = self.stylize_arguments("--iterations", "80", "--log", "run.jsonl")
        arguments[arguments.index("--size") + 1] = "16"
        result = self.run_program(*arguments, preexec_fn=lambda: limit_files(16384))
        self.assertEqual(result.returncode, 6, result.stderr)
        self.assertIn("incomplete", result.stderr)
        self.assertEqual(self.files(), ["out.png", "run.jsonl"])

    def large(self, output):
        arguments = self.stylize_arguments("--iterations", "1", output=output)
        arguments[arguments.index("--size") + 1] = "160"
        return arguments


def limit_files(size=4096):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


class SnapshotTest(ProgramTest):
    def test_one_that_cannot_be_written_does_not_cost_the_result(self):
        process = self.start(*self.stylize_arguments("--iterations", "41", "--save-every", "40",
                                                     "--log", "run.jsonl"))
        self.wait_for_lines(process, "run.jsonl", 2)
        os.mkdir(self.path("out_0040.png"))
        _, messages = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 6, messages)
        self.assertIn("out_0040.png", messages)
        self.assert_complete_picture("out.png")
        self.assertEqual(read_log(self.path("run.jsonl"))[-1]["ending"], "finished")

    def test_names_sort_as_the_iterations_do(self):
        self.stylize("--save-every", "5000", "--dry-run", iterations=10001)
        os.mkdir(self.path("out_05000.png"))
        self.fail_with(6, *self.stylize_arguments("--save-every", "5000", "--iterations", "10001"),
                       says="out_05000.png")


class StreamTest(ProgramTest):
    """Standard streams that are closed, or that nobody reads."""

    def check_run(self, result):
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assert_complete_picture("out.png")
        self.assertEqual(read_log(self.path("run.jsonl"))[-1]["ending"], "finished")

    def test_closed_streams(self):
        arguments = self.stylize_arguments("--iterations", "20", "--log", "run.jsonl")
        for streams in ((2,), (0, 1, 2)):
            self.check_run(self.run_program(*arguments, preexec_fn=lambda: close_all(streams)))

    def test_a_result_for_a_closed_stdout(self):
        result = self.run_program(*self.stylize_arguments("--iterations", "2", "--log", "run.jsonl",
                                                          "--json"),
                                  preexec_fn=lambda: close_all((1,)))
        self.assertEqual(result.returncode, 6, result.stderr)
        self.assertEqual(read_log(self.path("run.jsonl"))[-1]["event"], "end")
        self.assert_complete_picture("out.png")

    def test_libraries_that_are_told_to_print(self):
        talkative = {"ONEDNN_VERBOSE": "2", "DNNL_VERBOSE": "1", "VIPS_INFO": "1", "G_MESSAGES_DEBUG": "all"}
        result = self.stylize("--json", iterations=1, options={"env": talkative})
        self.assertEqual(json.loads(result.stdout)["ending"], "finished")

    def test_progress_that_nobody_reads(self):
        read_end, write_end = os.pipe()
        os.close(read_end)
        arguments = self.stylize_arguments("--iterations", "20", "--log", "run.jsonl")
        result = subprocess.run([PROGRAM, *map(str, arguments)], cwd=self.folder, env=environment(),
                                stdout=write_end, stderr=write_end, timeout=60, check=False)
        os.close(write_end)
        self.assertEqual(result.returncode, 0)
        self.assert_complete_picture("out.png")
        self.assertEqual(read_log(self.path("run.jsonl"))[-1]["ending"], "finished")


def close_all(streams):
    for stream in streams:
        os.close(stream)


class PlanTest(ProgramTest):
    """What --dry-run says of time and memory."""

    @unittest.skipIf(os.environ.get("TEST_SANITIZE"), "a sanitizer takes memory of its own")
    def test_the_memory_of_the_process_is_what_it_takes(self):
        png.write(self.path("photo.png"), 400, 300, lambda x, y: (x % 256, y % 256, 90))
        width, height = 4000, 3000
        with open(self.path("large.png"), "wb") as file:
            file.write(png.header(width, height) + png.chunk(b"IDAT", zlib.compress(bytes(height * (1 + 3 * width)), 1)) +
                       png.chunk(b"IEND", b""))
        for photo, size, precision in (("photo.png", "48", "auto"), ("photo.png", "48", "bf16"), ("photo.png", "0", "auto"),
                                       ("photo.png", "0", "bf16"), ("large.png", "48", "auto")):
            arguments = ["stylize", photo, "sample:painting", "-o", "out.png", "--weights", weights(), "--device", "cpu",
                         "--precision", precision, "--size", size, "--iterations", "2", *LIGHT, "--json"]
            plan = json.loads(self.succeed(*arguments, "--dry-run").stdout)
            peak = json.loads(self.succeed(*arguments).stdout)["peak_memory_bytes"]
            self.assertAlmostEqual(plan["process_bytes"] / peak, 1, delta=0.2, msg=(photo, size, precision))

    def test_the_time_is_that_of_all_iterations(self):
        self.assertRegex(self.stylize("--dry-run").stdout, r"(?m)^time +\d+:\d\d$")
        self.assertRegex(self.stylize("--dry-run").stdout, r"(?m)^in all +\S+ MiB, the program included$")
        few, many = (json.loads(self.stylize("--dry-run", "--json", iterations=n).stdout)["seconds"]
                     for n in (10, 1_000_000))
        self.assertGreater(few, 0)
        self.assertGreater(many, 100 * few)


class MemoryTest(ProgramTest):
    def test_size_that_does_not_fit(self):
        with open("/proc/meminfo", encoding="ascii") as file:
            kilobytes = {name: int(value.split()[0]) for name, value in
                         (line.split(":") for line in file)}
        # The reference backend needs some 2200 bytes a pixel.
        pixels = (kilobytes["MemTotal"] + kilobytes["SwapTotal"]) * 1024 / 1100
        if pixels > 1e8:
            self.skipTest("every picture that the program takes fits into this machine's memory")
        size = math.ceil(math.sqrt(pixels))
        png.write(self.path("grey.png"), 8, 8, lambda x, y: (128, 128, 128))
        run = ("stylize", "grey.png", "grey.png", "-o", "out.png", "--size", size, "--style-size", "16",
               "--device", "reference")
        self.fail_with(75, *run, says=("not enough memory", "--dry-run"))
        batch = ("batch", "grey.png", "--styles", "grey.png", "-o", "out", *run[-6:-2], "--devices", "reference")
        for plan, memory in ((run, "memory "), (batch, "its memory ")):
            result = self.run_program(*plan, "--dry-run")
            self.assertEqual(result.returncode, 75, result.stderr)
            self.assertRegex(result.stdout, f"(?m)^{memory}")
            self.assertIn("pixels would fit", result.stderr)
        self.assertEqual(self.files(), ["grey.png"])


class KillTest(ProgramTest):
    """kill -9 at random moments, most of them while pictures are being written."""

    def kill_at_random(self, arguments, longest, rounds):
        for _ in range(rounds):
            process = self.start(*arguments)
            time.sleep(random.uniform(0, longest))
            process.send_signal(signal.SIGKILL)
            process.communicate()
            for name in self.files():
                if name.endswith(".png") and not name.startswith("."):
                    self.assert_complete_picture(name)

    def duration(self, arguments):
        start = time.monotonic()
        self.succeed(*arguments)
        return time.monotonic() - start

    def test_stylize(self):
        arguments = self.stylize_arguments("--iterations", "6", "--save-every", "1")
        self.kill_at_random(arguments, self.duration(arguments), rounds=15)
        self.succeed(*arguments)

    def test_large_files(self):
        arguments = ("samples", ".", "--size", "500")
        self.kill_at_random(arguments, self.duration(arguments), rounds=12)
        self.succeed(*arguments)


if __name__ == "__main__":
    unittest.main()
