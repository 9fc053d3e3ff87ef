# SPDX-License-Identifier: MIT
"""The programs that measure backends: axes as lists, their outputs, and what ends them.

usage: programs_test.py FOLDER_OF_PROGRAMS
"""

import csv
import json
import statistics
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PROGRAMS = Path(sys.argv.pop(1))
ROOT = Path(__file__).resolve().parents[2]
FAST = "--benchmark_min_time=0.0001"
HAS_SCIPY = subprocess.run(["/usr/bin/python3", "-c", "import scipy"], capture_output=True).returncode == 0


def run(program, *arguments):
    return subprocess.run([PROGRAMS / program, *arguments], capture_output=True, text=True)


def compare(old, new):
    command = ["/usr/bin/python3", "-B", ROOT / "benchmarks" / "compare.py", old, new]
    return subprocess.run(command, capture_output=True, text=True)


class Programs(unittest.TestCase):
    def document(self, program, *arguments):
        done = run(program, "--benchmark_format=json", FAST, *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def names(self, program, *arguments):
        done = run(program, "--benchmark_list_tests", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.splitlines()

    def test_every_combination_of_an_operation_s_axes_is_a_row(self):
        document = self.document(
            "op_bench", "--op=gram,gram_loss,adam", "--backend=cpu,simt", "--dtype=fp32,tf32",
            "--shape=4x6x8,conv5_1@32", "--batch=1,3",
        )  # fmt: skip
        rows = {row["name"]: row for row in document["benchmarks"]}
        # On the CPU three operations in fp32; the kernels' Gram matrices also in tf32. Two pictures, 4×6 and 32².
        self.assertEqual(len(rows), (3 + 5) * 2 * 2)
        for name, row in rows.items():
            self.assertEqual(row["verified"], 1, name)
            self.assertLess(row["error"], 3e-2, name)
        one, three = (rows[f"gram/simt/4x6x8/tf32/batch:{n}"] for n in (1, 3))
        self.assertEqual((one["bytes"], one["flops"]), (4 * (24 * 8 + 64), 2 * 24 * 64))
        self.assertEqual((three["bytes"], three["flops"]), (3 * one["bytes"], 3 * one["flops"]))
        for key in ("device", "commit", "dirty", "mhz_per_cpu"):
            self.assertIn(key, document["context"])

    def test_backends_in_one_precision_are_neighbours(self):
        names = self.names("op_bench", "--op=gram", "--backend=cpu,simt", "--shape=4x4x8", "--dtype=fp32,tf32,bf16")
        points = [name.split("/")[3] for name in names]
        self.assertEqual(points, sorted(points, key=points.index))

    def test_a_size_stands_for_the_layers_at_which_an_operation_stands(self):
        names = self.names("op_bench", "--backend=cpu", "--shape=64", "--dtype=fp32",
                           "--op=gram,content_loss,adam")  # fmt: skip
        self.assertEqual(
            [name.split("/")[2] for name in names],
            ["conv1_1@64", "conv2_1@64", "conv3_1@64", "conv4_1@64", "conv5_1@64", "conv2_2@64",
             "conv4_2@64", "pixels@64"],
        )  # fmt: skip

    def test_iterations_take_lists_of_sizes_batches_and_precisions(self):
        names = self.names("iteration_bench", "--backend=cpu", "--size=16,32", "--batch=1,2",
                           "--precision=fp32", "--benchmark_filter=^iteration/")  # fmt: skip
        shapes = [f"{size}/batch:{batch}" for size in (16, 32) for batch in (1, 2)]
        self.assertEqual(names, [f"iteration/fp32/{shape}" for shape in shapes])

    def test_of_the_host_s_memory_an_iteration_says_nothing(self):
        [row] = self.document("iteration_bench", "--backend=cpu", "--size=16", "--precision=fp32",
                              "--benchmark_filter=^iteration/")["benchmarks"]  # fmt: skip
        self.assertEqual(row["verified"], 1)
        self.assertNotIn("device bytes", row)

    def test_a_filter_sees_names_as_they_are_shown(self):
        gram = ("op_bench", "--op=gram", "--backend=cpu", "--dtype=fp32", "--shape=4x4x8", "--batch=1,2")
        both = self.names(*gram)
        self.assertEqual(self.names(*gram, "--benchmark_filter=batch:1$"), both[:1])
        self.assertEqual(self.names(*gram, "--benchmark_filter=-batch:1$"), both[1:])
        for wrong, says in (("nothing", "no row's name matches 'nothing'"), ("(", "'(' is no regular expression")):
            done = run(*gram, f"--benchmark_filter={wrong}")
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertIn(says, done.stderr)

    def test_every_precision_that_rows_are_named_by_can_be_asked_for(self):
        gram = ("op_bench", "--op=gram", "--backend=cpu,simt", "--shape=4x4x8")
        named = {name.split("/")[3] for name in self.names(*gram)}
        self.assertGreater(len(named), 2)
        for precision in named:
            found = self.names(*gram, f"--dtype={precision}")
            self.assertEqual({name.split("/")[3] for name in found}, {precision})

    def test_what_one_program_writes_is_compared_but_for_rows_beside_which_others_ran(self):
        if not HAS_SCIPY:
            self.skipTest("no SciPy here; './dev compare' installs it")
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "rows.json"
            flags = ("--benchmark_repetitions=5", f"--benchmark_out={out}")
            done = run("op_bench", "--op=adam", "--shape=8x8x3", "--batch=1,2", FAST, *flags)
            self.assertEqual(done.returncode, 0, done.stderr)
            document = json.loads(out.read_text())
            for row in document["benchmarks"]:
                row["other_cores"] = 0 if "batch:1" in row["name"] else 1e3
            out.write_text(json.dumps(document))
            compared = compare(out, out)
        self.assertEqual(compared.returncode, 0, compared.stderr)
        self.assertRegex(compared.stdout, r"\| cpu/8x8x3/fp32/batch:1 \| +[0-9.]+ [nµm]s \| .* \| \+0\.0 % \| 1\.0000 \|")
        self.assertNotIn("batch:2", compared.stdout)
        self.assertIn("not measured alike: adam/cpu/8x8x3/fp32/batch:2: other programs used", compared.stderr)

    def test_rows_of_stages_of_one_repetition_and_of_one_file_alone_are_compared_or_named(self):
        if not HAS_SCIPY:
            self.skipTest("no SciPy here; './dev compare' installs it")
        with tempfile.TemporaryDirectory() as folder:
            files = []
            for name, factor in (("old", 1), ("new", 2)):
                rows = [{"name": "gram/many", "repetition_index": i, "real_time": factor * (100 + i), "time_unit": "ns"}
                        for i in range(9)]  # fmt: skip
                rows.append({"name": "gram/once", "real_time": factor * 0.3, "time_unit": "us"})
                rows.append({"name": f"only/{name}", "real_time": 1, "time_unit": "us"})
                files.append(Path(folder) / name)
                files[-1].write_text(json.dumps({"context": {"device": "A device"}, "benchmarks": rows}))
            done = compare(*files)
            files[1].write_text(files[1].read_text().replace('"gram', '"adam'))
            apart = compare(*files)
            self.assertEqual((apart.returncode, apart.stdout), (8, ""))
            self.assertIn("nothing was compared: the files have no row in common", apart.stderr)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("| many | 104 ns | 208 ns | +100.0 % | 0.0004 |", done.stdout)
        self.assertIn("| once | 300 ns | 600 ns | +100.0 % |      – |", done.stdout)
        self.assertIn("2 rows, whose times changed by +100.0 %", done.stdout)
        self.assertIn("some have 1", done.stdout)
        self.assertIn("old: 1 of 3 rows, only/old first", done.stderr)
        self.assertLessEqual(max(map(len, done.stdout.splitlines())), 100)

    def test_files_that_hold_no_measurements_are_named_and_not_compared(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "some.json"
            row = {"name": "a", "real_time": 1, "time_unit": "ns"}
            for document, named in (
                ({"machine_info": {}, "benchmarks": [row]}, "expected an object 'context'"),
                ({"context": {}, "benchmarks": []}, "expected 'benchmarks' with times"),
                ({"context": {}, "rows": []}, "KeyError('benchmarks')"),
                ({"context": {}, "benchmarks": 5}, "expected what './dev bench'"),
                ({"context": {}, "benchmarks": [5]}, "to have a name"),
                ({"context": {}, "benchmarks": [{"name": "a"}]}, "expected real_time"),
                ({"context": {}, "benchmarks": [{**row, "other_cores": "x"}]}, "expected what './dev bench'"),
                ({"context": {"load_avg": ["x"]}, "benchmarks": [row]}, "expected what './dev bench'"),
                ({"context": {}, "throttled": 5, "benchmarks": [row]}, "expected what './dev bench'"),
            ):
                path.write_text(json.dumps(document))
                done = compare(path, path)
                self.assertEqual(done.returncode, 2, document)
                self.assertIn("some.json: ", done.stderr)
                self.assertIn(named, done.stderr)
                self.assertNotIn("Traceback", done.stderr)

    def test_files_that_were_not_measured_alike_are_compared_only_on_demand(self):
        with tempfile.TemporaryDirectory() as folder:
            def file(name, throttled=(), rows=None, calm=0, **context):
                path = Path(folder) / name
                about = {"device": "A device", "num_cpus": 2, "mhz_per_cpu": 2300, "load_avg": [0.2], **context}
                row = {"name": "a", "real_time": 1, "time_unit": "us", "other_cores": 0.1, "sm_mhz": 1500}
                kept = [{**row, "name": f"calm {i}"} for i in range(calm)] + [{**row, **(rows or {})}]
                path.write_text(json.dumps({"context": about, "throttled": list(throttled), "benchmarks": kept}))
                return path

            command = [sys.executable, "-B", ROOT / "benchmarks" / "compare.py", file("old.json")]
            for name, context, named in (
                ("busy.json", {"load_avg": [1.9]}, "0.1 and 0.9"),
                ("slow.json", {"mhz_per_cpu": 1200}, "2300 and 1200 MHz"),
                ("other.json", {"device": "Another"}, "A device and Another"),
                ("beside.json", {"rows": {"other_cores": 1.2}}, "5% and 60% of the cores"),
                ("cold.json", {"rows": {"sm_mhz": 1980}}, "1500 and 1980 MHz of the GPU"),
                ("held.json", {"throttled": ["power cap"]}, "held by nothing and by power cap"),
            ):
                done = subprocess.run([*command, file(name, **context)], capture_output=True, text=True)
                self.assertEqual(done.returncode, 8, name)
                self.assertIn(named, done.stderr)
                self.assertIn("nothing was compared: --anyway", done.stderr)
            busy = {"rows": {"other_cores": 1.2}}
            both = (file("one.json", **busy), file("two.json", **busy))
            done = subprocess.run([*command[:-1], *both], capture_output=True, text=True)
            self.assertIn("60% and 60% of the cores", done.stderr)
            # Of many rows one alone: their mean would hide it.
            both = (file("one.json", calm=40), file("two.json", calm=40, load_avg=[1.9], **busy))
            done = subprocess.run([*command[:-1], *both], capture_output=True, text=True)
            self.assertIn("not measured alike: a: other programs used 5% and 60% of the cores", done.stderr)
            self.assertNotIn("calm", done.stderr)
            # Fewer than half of the repetitions: their median would hide it.
            document = json.loads(file("one.json", calm=5, **busy).read_text())
            for row in document["benchmarks"]:
                row.update(name="a", other_cores=1.2 * (row["other_cores"] > 1))
            document["benchmarks"] += document["benchmarks"][-1:] * 3
            some = Path(folder) / "some.json"
            some.write_text(json.dumps(document))
            done = subprocess.run([*command, some], capture_output=True, text=True)
            self.assertIn("5% and 27% of the cores", done.stderr)
            done = subprocess.run([*command, Path(folder) / "none.json"], capture_output=True, text=True)
            self.assertEqual(done.returncode, 2)
            self.assertIn("none.json", done.stderr)

    def test_a_noisy_row_is_measured_for_longer(self):
        flags = ("--op=adam", "--backend=cpu", "--shape=8x8x3", "--benchmark_format=json", "--benchmark_min_time=0.002")
        calm, noisy = (json.loads(run("op_bench", *flags, f"--max-noise={noise}").stdout)["benchmarks"][0]
                       for noise in (1e9, 0))  # fmt: skip
        self.assertGreaterEqual(calm["samples"] * calm["real_time"] * 1e-6, 0.002)
        self.assertGreaterEqual(noisy["samples"] * noisy["real_time"] * 1e-6, 0.0099)
        self.assertGreater(noisy["noise"], 0)
        self.assertIn("other_cores", calm)

    def test_one_sample_has_no_noise(self):
        flags = ("--op=adam", "--backend=cpu", "--shape=8x8x3", "--benchmark_min_time=0")
        [row] = json.loads(run("op_bench", *flags, "--benchmark_format=json").stdout)["benchmarks"]
        self.assertEqual(row["samples"], 1)
        self.assertNotIn("noise", row)
        head, _, line = run("op_bench", *flags).stdout.splitlines()[-3:]
        cells = dict(zip(*([cell.strip() for cell in row.split("|")] for row in (head, line))))
        self.assertEqual(cells["noise"], "–")

    def test_the_comparison_of_symmetric_products_can_be_rehearsed(self):
        script = ROOT / "benchmarks" / "peers" / "symmetric_products.py"
        command = [sys.executable, "-B", script, "--rehearse", "--programs", PROGRAMS, "--rounds", "2"]
        done = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("REHEARSAL", done.stdout)
        self.assertRegex(done.stdout, r"\| plain Python \| fp32 \| [0-9.]+ \| [0-9.]+ \|")
        self.assertRegex(done.stdout, r"\| Impasto, cpu \| fp32 \| .* checked by itself \|")
        self.assertIn("left out: nobody", done.stderr)

    def test_a_table_has_at_most_100_columns_and_one_unit_a_cell(self):
        done = run("op_bench", "--op=gram,first_conv_backward", "--backend=cpu", "--dtype=fp32",
                   "--shape=conv1_1@16", FAST, "--benchmark_repetitions=2")  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stderr)
        table = [line for line in done.stdout.splitlines() if line.startswith("|")]
        self.assertEqual(len(table), 6, done.stdout)
        self.assertLessEqual(max(map(len, table)), 100)
        self.assertRegex(table[2], r"^\| cpu \| +[0-9.]+ (µs|ms) \| +[0-9.]+ % \|")
        self.assertNotIn("DEBUG", done.stdout + done.stderr)

    def test_an_output_that_cannot_be_written_ends_the_program_and_is_named(self):
        gram = ("--op=gram", "--backend=cpu", "--dtype=fp32", "--shape=4x4x8", FAST)
        for options in (gram, (*gram, "--benchmark_format=csv"), (*gram, "--benchmark_format=json"), ("--list",)):
            with open("/dev/full", "w") as full:
                command = [PROGRAMS / "op_bench", *options]
                done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
            self.assertEqual((done.returncode, done.stderr),
                             (6, "standard output: cannot write: No space left on device\n"), options)  # fmt: skip
        for place, why in (("/nowhere/rows.json", "there is no folder"), ("/dev/full", "not a regular file")):
            done = run("op_bench", *gram, f"--benchmark_out={place}")
            self.assertEqual((done.returncode, done.stdout), (6, ""))
            self.assertIn(f"cannot write '{place}': {why}", done.stderr)

    def test_a_run_that_is_killed_leaves_the_rows_before_as_a_file_that_can_be_read(self):
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "rows.json"
            command = [PROGRAMS / "op_bench", "--op=adam", "--backend=cpu", "--shape=8x8x3", "--batch=1,2,3",
                       "--benchmark_format=csv", f"--benchmark_out={out}", FAST]  # fmt: skip
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
                for _ in range(3):  # the head, and two rows: the file has at least the first
                    process.stdout.readline()
                process.kill()
            names = [row["name"] for row in json.loads(out.read_text())["benchmarks"]]
            self.assertEqual(names[0], "adam/cpu/8x8x3/fp32/batch:1")

    def test_values_separated_by_commas_have_a_head_and_a_line_for_each_row(self):
        done = run("op_bench", "--op=gram,adam", "--backend=cpu", "--dtype=fp32", "--shape=4x4x8", FAST,
                   "--benchmark_format=csv")  # fmt: skip
        head, *rows = [line.split(",") for line in done.stdout.splitlines()]
        self.assertEqual(head[:4], ["name", "seconds", "noise_share", "GB/s"])
        self.assertEqual([row[0] for row in rows], ['"gram/cpu/4x4x8/fp32/batch:1"', '"adam/cpu/4x4x8/fp32/batch:1"'])
        self.assertEqual({len(row) for row in rows}, {len(head)})

    def test_values_separated_by_commas_are_those_of_the_file(self):
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "rows.json"
            for repetitions in (1, 3):
                done = run("op_bench", "--op=adam", "--backend=cpu", "--shape=8x8x3", "--benchmark_format=csv",
                           f"--benchmark_repetitions={repetitions}", f"--benchmark_out={out}",
                           "--benchmark_min_time=0.05")  # fmt: skip
                [row] = csv.DictReader(done.stdout.splitlines())
                rows = json.loads(out.read_text())["benchmarks"]
                seconds = [1e-6 * one["real_time"] for one in rows if one["run_type"] == "iteration"]
                noise = statistics.stdev(seconds) / statistics.mean(seconds) if repetitions > 1 else rows[0]["noise"]
                self.assertAlmostEqual(float(row["seconds"]), statistics.median(seconds), delta=1e-12)
                self.assertAlmostEqual(float(row["noise_share"]), noise, delta=1e-6)

    def test_ceilings_are_checked_before_they_are_shown(self):
        rows = self.document("ceilings_bench", "--benchmark_filter=^fma")["benchmarks"]
        self.assertTrue(rows)
        for row in rows:
            self.assertEqual(row["verified"], 1)
            self.assertGreater(row["FLOP/s"], 0)

    def test_large_products_are_compared_on_some_of_their_rows(self):
        rows = self.document("op_bench", "--op=conv_forward,conv_data_gradient", "--backend=cpu",
                             "--dtype=fp32", "--shape=conv1_2@96,conv5_1@32")["benchmarks"]  # fmt: skip
        self.assertEqual(len(rows), 4)
        for row in rows:
            self.assertLess(row["error"], 1e-5, row["name"])

    def test_what_cannot_be_understood_is_named(self):
        for program, wrong, named in (
            ("op_bench", "--backend=cup", "cup"),
            ("op_bench", "--dtype=fp8", "fp8"),
            ("op_bench", "--shape=conv6_1@64", "conv6_1"),
            ("op_bench", "--shape=conv6_1@64", "conv5_4"),
            ("op_bench", "--op=grma", "--op: there is no operation 'grma': did you mean 'gram'?"),
            ("op_bench", "--op=nothing", "--op: there is no operation 'nothing': --list names all"),
            ("op_bench", "--batch=0", "--batch"),
            ("op_bench", "--no-plan-cache=1", "no-plan-cache"),
            ("op_bench", "--max-noise=-1", "--max-noise: expected a number from 0 on, got '-1'"),
            ("op_bench", "--benchmark_min_time=0.5s", "--benchmark_min_time: expected a number from 0 on, got '0.5s'"),
            ("iteration_bench", "--size=8", "--size"),
            ("iteration_bench", "--backend=cpu,simt", "--backend"),
            ("iteration_bench", "--shape=512", "--shape"),
            ("ceilings_bench", "--size=64", "--size"),
        ):
            done = run(program, wrong)
            self.assertEqual(done.returncode, 2, wrong)
            self.assertIn(named, done.stderr)

    def test_a_row_too_large_for_the_memory_is_named_and_others_are_measured(self):
        done = run("op_bench", "--op=gram", "--backend=cpu", "--dtype=fp32", "--shape=999999x999999x999,4x4x8", FAST,
                   "--benchmark_format=csv")  # fmt: skip
        self.assertEqual((done.returncode, done.stderr),
                         (8, "gram/cpu/999999x999999x999/fp32/batch:1: not enough memory\n"))  # fmt: skip
        self.assertIn('"gram/cpu/4x4x8/fp32/batch:1"', done.stdout)

    def test_a_precision_that_no_backend_has_is_named_with_those_that_there_are(self):
        done = run("op_bench", "--op=gram", "--backend=reference", "--dtype=fp32,bf16", "--benchmark_list_tests")
        self.assertEqual((done.returncode, done.stdout), (5, ""))
        self.assertIn("no backend of reference has bf16 here: expected one of fp32", done.stderr)

    @unittest.skipUnless((PROGRAMS / "impasto").exists(), "built without the program")
    def test_batches_side_by_side_are_compared_and_timed(self):
        command = [sys.executable, ROOT / "benchmarks/batch_sizes.py", "--impasto", PROGRAMS / "impasto",
                   "--device", "cpu", "--precision", "fp32", "--side", "32", "--iterations", "3"]  # fmt: skip
        light = ("--options", "--content-layers", "conv2_1", "--style-layers", "conv1_1,conv2_1")
        done = subprocess.run([*command, "--sizes", "1,2", "--count", "4", *light], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = done.stdout.splitlines()[2:]
        self.assertEqual([row.split("|")[1].strip() for row in rows], ["1 side by side", "2 side by side"])
        for row in rows:
            rate, relative, busy = (float(cell.strip(" %")) for cell in row.split("|")[2:5])
            self.assertTrue(rate > 0 and relative > 0 and 0 <= busy <= 100, row)
        few = subprocess.run([*command, "--sizes", "1,4", "--count", "4"], capture_output=True, text=True)
        self.assertEqual(few.returncode, 2)
        self.assertIn("--count 4", few.stderr)

    def test_what_the_lists_offer_can_be_asked_for(self):
        shown = run("op_bench", "--list").stdout
        for word in ("gram ", "conv4_2", "conv4_4", "total_variation", "simt"):
            self.assertIn(word, shown)
        self.assertLessEqual(max(map(len, shown.splitlines())), 100)
        self.assertIn("--benchmark_list_tests", run("ceilings_bench", "--list").stdout)

    def test_help_names_axes_operations_and_backends(self):
        shown = run("op_bench", "--help").stdout
        for word in ("--op", "--shape", "SHAPEs (256)", "--dtype", "--batch", "--backend", "gram", "simt"):
            self.assertIn(word, shown)
        self.assertLessEqual(max(map(len, shown.splitlines())), 100)


if __name__ == "__main__":
    unittest.main()
