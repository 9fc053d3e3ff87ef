# SPDX-License-Identifier: MIT
"""simt_bench, the program given: rows for every rung asked for, counted and verified.

The same program with an operation one of whose rungs is wrong must not show that one.

usage: ladder_bench_test.py SIMT_BENCH WRONG_RUNG_BENCH LADDER_LAUNCHES
"""

import json
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import count_ladders

PROGRAM = sys.argv.pop(1)
WRONG = sys.argv.pop(1)
LAUNCHES = sys.argv.pop(1)


def run(*arguments, program=PROGRAM):
    return subprocess.run([program, *arguments], capture_output=True, text=True)


class LadderBench(unittest.TestCase):
    def test_every_combination_of_the_axes_is_a_row(self):
        done = run(
            "--op=content_loss,adam", "--shape=4x4x8,conv5_1@32", "--dtype=fp32,bf16",
            "--batch=1,2", "--benchmark_format=json",
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = json.loads(done.stdout)["benchmarks"]
        # Two rungs each; content_loss in two types, adam's pixels in one.
        self.assertEqual(len(rows), 2 * 2 * 2 * 2 + 2 * 2 * 2)
        names = [row["name"] for row in rows]
        self.assertIn("content_loss/rung_2_one_pass/conv5_1@32/bf16/batch:2", names)
        for row in rows:
            self.assertEqual(row["verified"], 1)
            self.assertGreater(row["loaded_bytes"] + row["stored_bytes"], 0.98 * row["bytes"])
            self.assertGreaterEqual(row["sectors_per_request"], 1)

    def test_rungs_can_be_chosen(self):
        done = run("--op=adam", "--shape=4x4x8", "--rung=rung_1_naive", "--benchmark_format=json")
        names = [row["name"] for row in json.loads(done.stdout)["benchmarks"]]
        self.assertEqual(names, ["adam/rung_1_naive/4x4x8/fp32/batch:1"])

    def test_the_list_has_every_rung_and_its_idea(self):
        shown = run("--list").stdout
        for word in ("rung_13_wgmma", "TMA and wgmma", "pool_backward", "conv5_1", "(ships)"):
            self.assertIn(word, shown)
        # One ships in each arithmetic: gram_loss has gram's rungs, and one that ships in place of the last of these.
        gram, gram_loss = (re.search(rf"^  {op} .*?(?=^  \w)", shown, re.M | re.S).group() for op in ("gram", "gram_loss"))
        self.assertRegex(gram, r"rung_12_persistent .*\(ships\)")
        self.assertRegex(gram_loss, r"rung_14_one_launch .*\(ships\)")
        self.assertNotRegex(gram_loss, r"rung_12_persistent .*\(ships\)")

    def test_run_once_compares_and_times_nothing(self):
        done = run("--op=adam", "--shape=4x4x8", "--run-once", "--benchmark_format=json")
        self.assertEqual(done.returncode, 0, done.stderr)
        for row in json.loads(done.stdout)["benchmarks"]:
            self.assertEqual((row["verified"], row["iterations"]), (1, 1))
            self.assertNotIn("loaded_bytes", row)

    def test_a_table_has_at_most_100_columns(self):
        done = run("--op=gram", "--shape=16x16x64", "--dtype=bf16", "--rung=rung_11_pipeline,rung_12_persistent")
        table = [line for line in done.stdout.splitlines() if line.startswith("|")]
        self.assertEqual(len(table), 4, done.stdout)
        self.assertLessEqual(max(map(len, table)), 100)

    def test_a_dtype_is_the_one_in_the_row_s_name(self):
        for dtype in ("fp32", "tf32"):
            rows = run("--op=gram", "--shape=16x16x64", f"--dtype={dtype}", "--benchmark_list_tests")
            found = {name.split("/")[3] for name in rows.stdout.split()}
            self.assertEqual(found, {dtype})

    def test_help_names_axes_and_operations(self):
        done = run("--help")
        self.assertEqual(done.returncode, 0)
        for word in ("--op", "--rung", "--shape", "--dtype", "--batch", "pool_backward"):
            self.assertIn(word, done.stdout)

    def test_a_wrong_rung_is_named_and_has_no_row_on_the_terminal_nor_in_the_file(self):
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "rows.json"
            flags = (f"--benchmark_out={out}", "--benchmark_out_format=json")
            done = run("--dtype=fp32", "--shape=1x1x1", *flags, program=WRONG)
            kept = out.read_text()
        self.assertEqual(done.returncode, 8)
        self.assertIn("nothing/rung_2_wrong/1x1x1/fp32/batch:1: an error of 2 ", done.stderr)
        for text in (done.stdout, kept):
            self.assertIn("rung_1_right", text)
            self.assertNotIn("rung_2_wrong", text)

    def test_a_kernel_that_reads_twice_is_not_what_was_kept(self):
        rungs = "--rung=rung_1_right,rung_3_wasteful"
        right, wasteful = count_ladders.counted(Path(WRONG), "--shape=1x1x8", "--dtype=fp32", rungs)
        self.assertEqual(wasteful["loaded_bytes"], 2 * right["loaded_bytes"])
        kept = {**right, "name": wasteful["name"]}
        self.assertEqual(count_ladders.differences([kept], [kept]), [])
        found = "\n".join(count_ladders.differences([kept], [wasteful]))
        self.assertIn("rung_3_wasteful/1x1x8/fp32/batch:1: loaded_bytes 64, kept 32", found)

    def test_a_rung_that_came_or_went_is_not_what_was_kept(self):
        row = {"name": "a", **dict.fromkeys(count_ladders.COUNTS, 1)}
        self.assertEqual(count_ladders.differences([row], []), ["a: no longer there"])
        self.assertEqual(count_ladders.differences([], [row]), ["a: not kept yet"])

    def test_what_the_gram_ladder_launches_is_what_predictions_are_made_from(self):
        counted = json.loads(run("1", program=LAUNCHES).stdout)["rows"]
        path = count_ladders.context.REPOSITORY / "benchmarks" / "results" / "gram_launches.json"
        kept = {row["name"]: row for row in json.loads(path.read_text())["rows"]}
        self.assertEqual([row for row in counted if row["name"] in kept],
                         [row for row in kept.values() if "/conv1_1@" in row["name"]])  # fmt: skip

    def test_what_cannot_be_understood_is_named(self):
        for wrong in ("--shape=conv9_1@64", "--shape=4x4", "--dtype=int8", "--batch=0", "--op=grma",
                      "--rung=rung_99_none", "--benchmark_format=xml", "--batch", "--nothing=1"):  # fmt: skip
            done = run(wrong)
            self.assertEqual(done.returncode, 2, wrong)
            self.assertIn(wrong.split("=")[0], done.stderr)
            self.assertEqual(done.stdout, "")
        self.assertIn("rung_2_vectorised", run("--op=adam", "--rung=rung_99_none").stderr)
        self.assertIn("(in fp32)", run("--op=gram", "--dtype=fp32", "--rung=rung_13_wgmma").stderr)


if __name__ == "__main__":
    unittest.main()
