# SPDX-License-Identifier: MIT
"""The first SIGINT or SIGTERM saves and ends, the second ends at once."""

import hashlib
import signal
import time
import unittest

from harness import ProgramTest, read_log


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
