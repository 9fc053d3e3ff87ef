# SPDX-License-Identifier: MIT
"""./dev compare notices what became slower, and says so with its exit code."""

import itertools
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import inputs
from compare_statistics import exact_p, least_p, mann_whitney, normal_p

STEADY = [1.00, 1.01, 0.99, 1.02, 0.98]


class MannWhitney(unittest.TestCase):
    def test_the_p_value_is_the_share_of_orders_as_far_from_the_middle(self):
        for n, m in ((1, 1), (2, 3), (3, 3), (4, 5)):
            us = [
                sum(one > other for one in first for other in set(range(n + m)) - set(first))
                for first in itertools.combinations(range(n + m), n)
            ]
            for u in set(us):
                as_far = sum(abs(one - n * m / 2) >= abs(u - n * m / 2) for one in us)
                self.assertAlmostEqual(exact_p(u, n, m), as_far / len(us))

    def test_a_published_example_comes_out(self):
        males, females = [19, 22, 16, 29, 24], [20, 11, 17, 12]
        u, p = mann_whitney(males, females)
        self.assertEqual(u, 17)
        self.assertAlmostEqual(p, 0.1111111111111111)
        self.assertAlmostEqual(normal_p(u, 5, 4, males + females), 0.11134688653314041)

    def test_ties_share_their_ranks_and_equal_samples_show_nothing(self):
        u, p = mann_whitney([1, 1, 1], [1, 1, 1])
        self.assertEqual((u, p), (4.5, 1.0))
        self.assertEqual(mann_whitney([1, 2], [2, 3])[0], 0.5)

    def test_the_normal_approximation_meets_the_exact_test(self):
        for u in (20, 40, 60, 80, 100):
            exact = exact_p(u, 15, 15)
            self.assertAlmostEqual(normal_p(u, 15, 15, list(range(30))), exact, delta=0.02)

    def test_few_repetitions_can_show_only_so_much(self):
        self.assertAlmostEqual(least_p(5, 5), mann_whitney([1, 2, 3, 4, 5], [6, 7, 8, 9, 10])[1])


class Compare(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def write(self, name, device="A device", **rows):
        entries = [entry for row, seconds in rows.items() for entry in inputs.entries(row, seconds)]
        inputs.write_benchmarks(self.folder / name, entries, device=device)

    def compare(self, old, new, *options):
        command = [sys.executable, str(inputs.ROOT / "benchmarks" / "compare.py")]
        command += [str(self.folder / old), str(self.folder / new), *options]
        environment = {"PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        self.assertNotIn("Traceback", done.stderr)
        return done

    def test_a_slower_row_is_named_and_ends_with_8(self):
        self.write("old.json", gram=STEADY, adam=STEADY)
        self.write("new.json", gram=[1.2 * one for one in STEADY], adam=STEADY)
        done = self.compare("old.json", "new.json")
        self.assertEqual(done.returncode, 8)
        self.assertRegex(done.stdout, r"gram .* 1\.200 .*slower")
        self.assertNotRegex(done.stdout, r"adam .*(slower|faster)")

    def test_noise_and_gains_end_with_0(self):
        self.write("old.json", gram=STEADY, adam=STEADY)
        self.write("new.json", gram=[0.8 * one for one in STEADY], adam=[1.005 * s for s in STEADY])
        done = self.compare("old.json", "new.json")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"gram .*faster")

    def test_a_change_within_the_threshold_is_ignored(self):
        close = [1.0001, 1.0002, 1.0003, 1.0004, 1.0005]
        self.write("old.json", gram=close)
        self.write("new.json", gram=[1.01 * one for one in close])
        self.assertEqual(self.compare("old.json", "new.json").returncode, 0)
        self.assertEqual(self.compare("old.json", "new.json", "--threshold", "0").returncode, 8)

    def test_folders_are_compared_by_the_names_of_rows(self):
        self.write("old/a.json", gram=STEADY, gone=STEADY)
        self.write("new/b.json", gram=[2 * one for one in STEADY])
        inputs.write(self.folder / "new" / "peers.json", inputs.peers())
        done = self.compare("old", "new")
        self.assertEqual(done.returncode, 8)
        self.assertIn("1 rows are not in NEW: gone", done.stderr)
        self.assertIn("peers.json: not of Google Benchmark", done.stderr)

    def test_other_devices_are_noticed(self):
        self.write("old.json", gram=STEADY)
        self.write("new.json", device="Another", gram=STEADY)
        self.assertIn("compare machines", self.compare("old.json", "new.json").stderr)

    def test_where_nothing_can_be_judged_nothing_passes(self):
        self.write("old.json", gram=STEADY[:2])
        self.write("new.json", gram=STEADY)
        self.write("other.json", adam=STEADY)
        done = self.compare("old.json", "new.json")
        self.assertEqual(done.returncode, 2)
        self.assertIn("too few repetitions", done.stderr)
        self.assertEqual(self.compare("new.json", "other.json").returncode, 2)

    def test_broken_and_missing_files_are_named(self):
        self.write("good.json", gram=STEADY)
        (self.folder / "broken.json").write_text("{", encoding="utf-8")
        inputs.write(self.folder / "try.json", {"context": {"rehearsal": True}, "benchmarks": []})
        for name in ("broken.json", "missing.json", "try.json"):
            done = self.compare("good.json", name)
            self.assertEqual(done.returncode, 2)
            self.assertIn(name, done.stderr)


if __name__ == "__main__":
    unittest.main()
