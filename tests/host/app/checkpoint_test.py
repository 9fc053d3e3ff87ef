# SPDX-License-Identifier: MIT
"""A run that is interrupted goes on from its checkpoint, and ends with the same bytes."""

import os
import signal
import unittest

from harness import ProgramTest

RUN = ("--iterations", "60", "--optimizer", "adam", "--pyramid", "2", "--average", "0.8")


class CheckpointTest(ProgramTest):
    def bytes_of(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def interrupt(self, number, *more):
        """Starts a run and sends it a signal after some iterations."""
        if os.path.exists(self.path("log.jsonl")):
            os.remove(self.path("log.jsonl"))
        process = self.start(*self.stylize_arguments(*RUN, "--checkpoint", "run.checkpoint", "--log", "log.jsonl", *more))
        self.wait_for_lines(process, "log.jsonl", 12)
        process.send_signal(number)
        _, messages = process.communicate(timeout=120)
        return process.returncode, messages

    def check_resumed(self, whole):
        result = self.succeed(*self.stylize_arguments(*RUN, "--checkpoint", "run.checkpoint", "--resume"))
        self.assertEqual(self.bytes_of("out.png"), whole)
        self.assertNotIn("run.checkpoint", self.files())
        return result

    def test_a_signal_keeps_the_run_and_resume_ends_in_the_same_bytes(self):
        self.succeed(*self.stylize_arguments(*RUN))
        whole = self.bytes_of("out.png")
        for more in ((), ("--checkpoint-every", "7")):
            os.remove(self.path("out.png"))
            code, messages = self.interrupt(signal.SIGINT, *more)
            self.assertEqual(code, 130, messages)
            self.assertIn("run.checkpoint", messages)
            self.assertNotEqual(self.bytes_of("out.png"), whole)
            self.check_resumed(whole)

    def test_what_is_killed_goes_on_from_the_last_checkpoint(self):
        self.succeed(*self.stylize_arguments(*RUN))
        whole = self.bytes_of("out.png")
        os.remove(self.path("out.png"))
        code, _ = self.interrupt(signal.SIGKILL, "--checkpoint-every", "3")
        self.assertEqual(code, -signal.SIGKILL)
        self.assertIn("run.checkpoint", self.files())
        result = self.check_resumed(whole)
        self.assertNotIn("beginning at the start", result.stderr)

    def test_without_a_checkpoint_it_begins(self):
        self.succeed(*self.stylize_arguments(*RUN))
        result = self.check_resumed(self.bytes_of("out.png"))
        self.assertIn("beginning at the start", result.stderr)

    def test_a_checkpoint_of_another_run_and_a_damaged_one_are_refused(self):
        self.interrupt(signal.SIGINT)
        before = self.bytes_of("out.png"), self.bytes_of("run.checkpoint")
        resume = ("--checkpoint", "run.checkpoint", "--resume")
        for other in (("--style-weight", "3"), ("--iterations", "61"), ("--precision", "bf16"), ("--box", "step"),
                      ("--rate-decay", "0.9"), ("--statistics-weight", "1"), ("--style-relu", "before"),
                      ("--tv-form", "absolute"), ("--colors", "luminance")):
            self.fail_with(3, *self.other_arguments(other, resume), says="other pictures, settings")
        self.fail_with(3, *self.stylize_arguments(*RUN, *resume, content="sample:painting"), says="other pictures")
        with open(self.path("run.checkpoint"), "r+b") as file:
            file.seek(-100, os.SEEK_END)
            end = file.read(50)
            file.seek(-100, os.SEEK_END)
            file.write(bytes(255 - byte for byte in end))
        self.fail_with(3, *self.stylize_arguments(*RUN, *resume), says=["run.checkpoint", "damaged"])
        self.assertEqual(self.bytes_of("out.png"), before[0])

    def other_arguments(self, other, resume):
        usual = [word for pair in zip(RUN[::2], RUN[1::2]) if pair[0] != other[0] for word in pair]
        return self.stylize_arguments(*usual, *other, *resume)

    def test_one_that_cannot_be_written_does_not_cost_the_result(self):
        os.mkdir(self.path("sub"))
        process = self.start(*self.stylize_arguments("--iterations", "40", "--checkpoint", "sub/run.checkpoint",
                                                     "--checkpoint-every", "1", "--log", "log.jsonl"))
        self.wait_for_lines(process, "log.jsonl", 3)
        os.rename(self.path("sub"), self.path("gone"))
        _, messages = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 6, messages)
        self.assertIn("going on without it", messages)
        self.assert_complete_picture("out.png")

    def test_what_makes_no_sense(self):
        for more in (("--resume",), ("--checkpoint-every", "3")):
            self.fail_with(2, *self.stylize_arguments(*more), says="--checkpoint")
        self.fail_with(2, *self.stylize_arguments("--checkpoint", "run.png"), says=".checkpoint")


if __name__ == "__main__":
    unittest.main()
