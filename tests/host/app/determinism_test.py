# SPDX-License-Identifier: MIT
"""The same run gives the same bytes."""

import os
import resource
import unittest

from harness import SAMPLES, ProgramTest, weights


class DeterminismTest(ProgramTest):
    def picture(self, name, *more, threads="2", variables=None, **options):
        self.succeed("stylize", *SAMPLES, "-o", name, "--size", "48", "--iterations", "3", *more,
                     env={"OMP_NUM_THREADS": threads, **(variables or {})}, **options)
        with open(self.path(name), "rb") as file:
            return file.read()

    def test_run_to_run_and_threads(self):
        more = ("--weights", weights())
        first = self.picture("a.png", *more)
        self.assertEqual(first, self.picture("b.png", *more))
        self.assertEqual(first, self.picture("c.png", *more, threads="1"))

    def test_openmp_that_grants_fewer_threads(self):
        """As clusters set it up: oneDNN would leave the missing threads' share unwritten."""
        more = ("--weights", weights())
        first = self.picture("a.png", *more)
        for number, (threads, variables) in enumerate((
                ("4", {"OMP_THREAD_LIMIT": "1"}),
                ("4", {"OMP_THREAD_LIMIT": "3"}),
                ("4", {"OMP_DYNAMIC": "true"}),
                ("2", {"OMP_MAX_ACTIVE_LEVELS": "0"}),
                ("1000000", {}))):
            with self.subTest(threads=threads, **variables):
                self.assertEqual(first, self.picture(f"{number}.png", *more, threads=threads,
                                                     variables=variables))

    def test_system_that_grants_fewer_threads(self):
        if os.geteuid() != 0:
            self.skipTest("only root may run the program as somebody who runs nothing else")
        more = ("--weights", weights())
        first = self.picture("a.png", *more)
        os.chmod(self.folder, 0o777)
        os.remove(self.path("a.png"))
        nobody_else = 50000 + os.getpid() % 10000
        for threads in (7, 12):
            try:
                again = self.picture("a.png", *more, threads="8", user=nobody_else, group=nobody_else,
                                     preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NPROC,
                                                                           (threads, threads)))
            except PermissionError:
                self.skipTest("another user may not run the program")
            self.assertEqual(first, again)
            os.remove(self.path("a.png"))

    def test_built_in_network(self):
        self.assertEqual(self.picture("a.png", threads="1"), self.picture("b.png"))

    def test_generated_file_is_the_built_in_network(self):
        self.succeed("weights", "generate", "again.h5")
        with open(self.path("again.h5"), "rb") as again, open(weights(), "rb") as first:
            self.assertEqual(again.read(), first.read())

    def test_seed(self):
        more = ("--init", "random", "--weights", weights())
        pictures = [self.picture(f"{seed}.png", *more, "--seed", seed) for seed in "001"]
        self.assertEqual(pictures[0], pictures[1])
        self.assertNotEqual(pictures[1], pictures[2])


if __name__ == "__main__":
    unittest.main()
