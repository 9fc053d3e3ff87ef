# SPDX-License-Identifier: MIT
"""The first SIGINT or SIGTERM saves and ends, the second ends at once."""

import array
import fcntl
import hashlib
import os
import resource
import signal
import termios
import time
import unittest

from harness import ProgramTest, read_log


def ignore_hang_up_and_interrupt():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def limit_address_space(limit):
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class SignalTest(ProgramTest):
    def stop(self, number):
        arguments = self.stylize_arguments("--iterations", "1000000", "--log", "run.jsonl")
        process = self.start(*arguments)
        self.wait_for_lines(process, "run.jsonl", 5)
        process.send_signal(number)
        _, messages = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 128 + number, messages)
        self.assertIn("out.png", messages)
        self.assert_complete_picture("out.png")
        self.check_log()
        self.assertEqual(self.files(), ["out.png", "run.jsonl"])

    def check_log(self):
        log = read_log(self.path("run.jsonl"))
        end = log[-1]
        self.assertEqual((end["event"], end["ending"]), ("end", "stopped"))
        self.assertEqual(end["iterations"], log[-2]["iteration"])
        with open(self.path("out.png"), "rb") as file:
            self.assertEqual(end["sha256"], hashlib.sha256(file.read()).hexdigest())

    def test_interrupt(self):
        self.stop(signal.SIGINT)

    def test_terminate(self):
        self.stop(signal.SIGTERM)

    def test_hang_up(self):
        self.stop(signal.SIGHUP)

    def test_end_of_cpu_time(self):
        self.stop(signal.SIGXCPU)

    def test_what_was_ignored_stays_ignored(self):
        """As nohup and '&' in a script have it."""
        arguments = self.stylize_arguments("--iterations", "60", "--log", "run.jsonl")
        process = self.start(*arguments, preexec_fn=ignore_hang_up_and_interrupt)
        self.wait_for_lines(process, "run.jsonl", 3)
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGINT)
        _, messages = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, messages)
        self.assertEqual(read_log(self.path("run.jsonl"))[-1]["iterations"], 60)

    def test_every_command_ends_at_once(self):
        # Without --weights each of these makes a network first, which takes longer than a signal.
        for arguments in (("weights", "generate", "g.h5"),
                          ("score", "sample:scene", "--content", "sample:scene", "--style",
                           "sample:painting"),
                          ("activations", "sample:scene", "--layer", "conv5_4", "-o", "a.h5"),
                          ("samples", ".", "--size", "8000"),
                          ("check",)):
            process = self.start(*arguments)
            self.wait_for_handlers(process)
            process.send_signal(signal.SIGTERM)
            start = time.monotonic()
            _, messages = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 128 + signal.SIGTERM, messages)
            self.assertIn("impasto: stopped", messages)
            self.assertLess(time.monotonic() - start, 1)
            self.assertEqual([name for name in self.files() if name.startswith(".")], [])

    def test_a_log_whose_reader_has_stopped_reading(self):
        os.mkfifo(self.path("pipe"))
        reader = os.open(self.path("pipe"), os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        process = self.start(*self.stylize_arguments("--iterations", "1000000", "--log", "pipe"))
        fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)
        before = -1
        while self.unread(reader) < 3000 or self.unread(reader) != before:
            before = self.unread(reader)
            time.sleep(1)
        process.send_signal(signal.SIGTERM)
        _, messages = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 6, messages)
        self.assertIn("incomplete", messages)
        self.assert_complete_picture("out.png")

    def unread(self, reader):
        """As many bytes as wait in the pipe."""
        buffer = array.array("i", [0])
        fcntl.ioctl(reader, termios.FIONREAD, buffer)
        return buffer[0]

    def wait_for_handlers(self, process):
        """Until the program catches signals: before that they end it, however busy the machine."""
        mask = 1 << (signal.SIGTERM - 1)
        while process.poll() is None:
            with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
                caught = next(line for line in status if line.startswith("SigCgt:"))
            if int(caught.split()[1], 16) & mask:
                return
            time.sleep(0.01)
        self.fail(f"ended with {process.returncode}")

    @unittest.skipIf(os.environ.get("TEST_SANITIZE"), "a sanitizer needs all of the address space")
    def test_a_crash_says_that_the_address_space_is_limited(self):
        for limit in (resource.RLIM_INFINITY, 8 << 30):
            process = self.start(*self.stylize_arguments("--iterations", "1000000", "--log", f"{limit}.jsonl"),
                                 preexec_fn=lambda limit=limit: limit_address_space(limit))
            self.wait_for_lines(process, f"{limit}.jsonl", 2)
            process.send_signal(signal.SIGSEGV)
            _, messages = process.communicate(timeout=60)
            self.assertEqual(process.returncode, -signal.SIGSEGV, messages)
            self.assertEqual("ulimit -v" in messages, limit != resource.RLIM_INFINITY, messages)

    def test_before_the_first_iteration(self):
        # Without --weights the network is generated and calibrated first, which takes a while.
        process = self.start("stylize", "sample:scene", "sample:painting", "-o", "out.png")
        self.wait_for_handlers(process)
        process.send_signal(signal.SIGTERM)
        _, messages = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 128 + signal.SIGTERM, messages)
        self.assertIn("nothing was written", messages)
        self.assertEqual(self.files(), [])

    def test_second_signal(self):
        # One iteration at this size takes seconds: the second signal falls into it.
        arguments = ["stylize", "sample:scene", "sample:painting", "-o", "out.png", "--size", "900"]
        process = self.start(*arguments)
        self.wait_for_handlers(process)
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        start = time.monotonic()
        _, messages = process.communicate(timeout=60)
        self.assertIn(process.returncode, (128 + signal.SIGINT, 128 + signal.SIGTERM), messages)
        self.assertLess(time.monotonic() - start, 5)
        self.assertEqual(self.files(), [])


if __name__ == "__main__":
    unittest.main()
