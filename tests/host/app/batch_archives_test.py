# SPDX-License-Identifier: MIT
"""WebDataset archives: pictures come from tar files and go to tar files."""

import html
import io
import json
import os
import re
import shlex
import signal
import shutil
import tarfile
import time
import unittest

from batch_harness import BatchTest
from harness import weights


class ArchivesTest(BatchTest):
    def archive(self, name, count, seed=0, form=tarfile.PAX_FORMAT, folder=""):
        """One of `count` pictures, each with a JSON file and a class."""
        with tarfile.open(self.path(name), "w", format=form) as tar:
            for i in range(count):
                self.picture("one.png", seed + i)
                key = f"{folder}{seed + i:04}"
                tar.add(self.path("one.png"), f"{key}.png")
                for ending, data in (("json", json.dumps({"label": i}).encode()), ("cls", str(i).encode())):
                    member = tarfile.TarInfo(f"{key}.{ending}")
                    member.size = len(data)
                    tar.addfile(member, io.BytesIO(data))
        os.remove(self.path("one.png"))

    def contents(self, name):
        """The bytes of every file in an archive, by its name."""
        with tarfile.open(self.path(name)) as tar:
            return {member.name: tar.extractfile(member).read() for member in tar if member.isfile()}

    def batch_of(self, *archives, **more):
        return self.batch(*more.pop("options_", ()), contents=archives, styles=("styles/red.png",), **more)

    def test_what_comes_from_an_archive_goes_to_one(self):
        for number, form in enumerate((tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT)):
            stem = "deep" if form == tarfile.USTAR_FORMAT else "é" * 60
            self.archive("a.tar", 2, form=form, folder=stem + "/")
            folder = f"out{number}"
            self.batch_of("a.tar", output=folder)
            self.assertEqual(sorted(os.listdir(self.path(folder))), [".impasto", "a.tar"])
            made = self.contents(f"{folder}/a.tar")
            self.assertEqual(list(made), [f"{stem}/{name}" for name in (
                "0000_red.png", "0000_red.cls", "0000_red.json", "0001_red.png", "0001_red.cls", "0001_red.json")])
            self.assertEqual(made[f"{stem}/0001_red.cls"], b"1")
            about = json.loads(made[f"{stem}/0001_red.json"])
            self.assertEqual(about["label"], 1)
            self.assertEqual(about["impasto"]["content"], f"{stem}/0001.png")
            self.assertEqual(about["impasto"]["iterations"], 2)
            with open(self.path("one.png"), "wb") as file:
                file.write(self.contents("a.tar")[f"{stem}/0001.png"])
            for content in ("one.png", f"a.tar//{stem}/0001.png"):
                self.succeed("stylize", content, "styles/red.png", "-o", "alone.png", "--weights", weights(),
                             *self.options)
                with open(self.path("alone.png"), "rb") as file:
                    self.assertEqual(made[f"{stem}/0001_red.png"], file.read())
            self.assertEqual(self.status(folder)["done"], 2)

    def test_sheets_and_what_else_is_made_go_to_the_archive(self):
        self.archive("a.tar", 1)
        self.batch_of("a.tar", options_=("--sheets", "--save-every", "1", "--reports", "--films"))
        self.assertEqual(list(self.contents("out/a.tar")),
                         ["0000_red.png", "0000_red_sheet.png", "0000_red_report.html", "0000_red_film.webp",
                          "0000_red_0001.png", "0000_red.cls", "0000_red.json"])
        packed = self.contents("out/a.tar")
        command = shlex.split(html.unescape(re.search("<pre>(.*)</pre>", packed["0000_red_report.html"].decode())[1]))
        self.succeed(*command[1:])
        with open(self.path("0000_red.png"), "rb") as file:
            self.assertEqual(file.read(), packed["0000_red.png"])

    def test_a_row_of_a_manifest_may_name_a_picture_in_an_archive(self):
        self.archive("a.tar", 2)
        with open(self.path("m.jsonl"), "w", encoding="utf-8") as file:
            file.write(json.dumps({"content": "a.tar//0001.png"}) + "\n")
        self.batch("--manifest", "m.jsonl", contents=(), styles=("styles/red.png",))
        self.assertEqual(sorted(self.outputs()), ["0001_red.png"])
        with open(self.path("m.jsonl"), "w", encoding="utf-8") as file:
            file.write(json.dumps({"content": "styles/red.png", "output": "b.tar.parts/x.png"}) + "\n")
        self.batch_fails(2, "--manifest", "m.jsonl", contents=(), styles=("styles/red.png",), output="other",
                         says="b.tar.parts/x.png")

    def test_two_pictures_of_one_name_are_refused_before_the_start(self):
        with tarfile.open(self.path("a.tar"), "w") as tar:
            for name in ("x.png", "x.jpg"):
                tar.add(self.path("styles/red.png"), name)
        self.batch_fails(2, contents=("a.tar",), says=["two results", "x_blue.json"])
        self.assertFalse(os.path.exists(self.path("out")))

    def test_odd_members(self):
        """Hidden files are left out, an empty picture is one failure, an empty file is kept."""
        with tarfile.open(self.path("a.tar"), "w") as tar:
            tar.add(self.path("styles"), ".", recursive=False)
            for name in ("._a.png", "./a.png", ".hidden/b.png"):
                tar.add(self.path("styles/red.png"), name)
            for name in ("./a.cls", "./empty.png"):
                tar.addfile(tarfile.TarInfo(name))
        result = self.batch_fails(3, contents=("a.tar",), styles=("styles/red.png",), says="1 of 2 items failed")
        self.assertIn("empty.png", result.stderr)
        made = self.contents("out/a.tar")
        self.assertEqual(list(made), ["a_red.png", "a_red.cls", "a_red.json"])
        self.assertEqual(made["a_red.cls"], b"")

    def test_each_shard_has_archives_of_its_own_and_a_killed_one_goes_on(self):
        names = [f"{i}.tar" for i in range(4)]
        for i, name in enumerate(names):
            self.archive(name, 3, seed=10 * i)
        self.batch_of(*names, output="whole")
        for i in range(2):
            self.batch_of(*names, options_=("--shard", f"{i}/2"))
            if i == 0:
                self.assertEqual([name for name in os.listdir(self.path("out")) if name.endswith(".parts")], [])
        self.assertEqual(self.outputs(), self.outputs("whole"))

    def test_a_killed_run_goes_on(self):
        names = [f"{i}.tar" for i in range(3)]
        for i, name in enumerate(names):
            self.archive(name, 3, seed=10 * i)
        self.batch_of(*names, output="whole")
        for records in (1, 3, 4, 7, 9):
            process = self.start(*self.arguments(contents=names, styles=("styles/red.png",)))
            while process.poll() is None and self.count_records() < records:
                time.sleep(0.005)
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=60)
            self.succeed("resume", "out")
            self.assertEqual(self.outputs(), self.outputs("whole"))
            shutil.rmtree(self.path("out"))

    def count_records(self):
        return sum(len(files) for _, _, files in os.walk(self.path("out/.impasto/done")))

    def test_a_kill_while_an_archive_is_packed(self):
        """Whatever stage it is killed in: parts without an archive, both, or some of the parts."""
        self.archive("a.tar", 3)
        self.batch_of("a.tar", output="whole")
        whole = self.contents("whole/a.tar")
        for parts, packed in (((0, 1, 2), False), ((0, 1, 2), True), ((1,), True), ((), True)):
            shutil.copytree(self.path("whole"), self.path("out"))
            self.move_run("out")
            os.mkdir(self.path("out/a.tar.parts"))
            for i in parts:
                with open(self.path(f"out/a.tar.parts/000{i}_red.png"), "wb") as file:
                    file.write(whole[f"000{i}_red.png"])
            if not packed:
                os.remove(self.path("out/a.tar"))
            waiting = self.run_program("status", "out")
            self.assertEqual((waiting.returncode, "3 of those done wait" in waiting.stdout), (3, True))
            self.succeed("resume", "out")
            self.assertEqual(self.outputs(), self.outputs("whole"))
            self.assertEqual(self.run_program("status", "out").returncode, 0)
            shutil.rmtree(self.path("out"))

    def move_run(self, folder):
        """A copied run is told where it is."""
        path = self.path(f"{folder}/.impasto/run.json")
        with open(path, encoding="utf-8") as file:
            run = json.load(file)
        run["folder"] = self.path(folder)
        with open(path, "w", encoding="utf-8") as file:
            json.dump(run, file)

    def test_a_broken_picture_is_left_out_until_it_can_be_made(self):
        self.archive("a.tar", 3)
        with open(self.path("a.tar"), "rb") as file:
            good = file.read()
        with tarfile.open(self.path("a.tar")) as tar:
            at = tar.getmember("0001.png").offset_data
        with open(self.path("a.tar"), "r+b") as file:
            file.seek(at)
            file.write(b"no picture")
        self.batch_fails(3, contents=("a.tar",), styles=("styles/red.png",), says="1 of 3 items failed")
        self.assertEqual(sorted(name for name in self.contents("out/a.tar") if name.endswith(".png")),
                         ["0000_red.png", "0002_red.png"])
        with open(self.path("a.tar"), "wb") as file:
            file.write(good)
        self.succeed("resume", "out", "--retry-failed")
        self.batch_of("a.tar", output="whole")
        self.assertEqual(self.outputs(), self.outputs("whole"))

    @unittest.skipIf(os.environ.get("TEST_SANITIZE"), "a sanitizer keeps what was freed")
    def test_memory_does_not_grow_with_the_number_of_files(self):
        few, many = (self.peak_of(count) for count in (500, 20_000))
        # 16 bytes a picture, and what the allocator keeps; the names alone would be 4 MiB.
        self.assertLess(many - few, 2 << 10, f"{few} KiB for 500 pictures, {many} KiB for 20000")

    def peak_of(self, count):
        """KiB that a batch of an archive with so many pictures takes, all of which are empty."""
        with tarfile.open(self.path("a.tar"), "w") as tar:
            for i in range(count):
                for ending in ("png", "json", "cls"):
                    tar.addfile(tarfile.TarInfo(f"some/long/name/of/a/folder/{i:040}.{ending}"))
        return self.peak(self.arguments("-q", contents=("a.tar",), styles=("styles/red.png",), output="none"), 3)

    def test_nothing_is_overwritten(self):
        self.archive("a.tar", 1)
        before = self.outputs(".")
        for exists in ("error", "overwrite"):
            self.batch_fails(2, "--if-exists", exists, "--run", "run", contents=("a.tar",), styles=("styles/red.png",),
                             output=".", says="a.tar")
        self.assertEqual(self.outputs(".")["a.tar"], before["a.tar"])

    def test_archives_that_are_none(self):
        def write(name, change):
            with tarfile.open(self.path(name), "w") as tar:
                member = tarfile.TarInfo("a.png")
                change(member)
                tar.addfile(member)

        def kind(number):
            return lambda member: (setattr(member, "type", number), setattr(member, "linkname", "/etc/passwd"))

        for number in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
            write("a.tar", kind(number))
            self.batch_fails(3, contents=("a.tar",), says=["a.tar", "plain file"])
        with tarfile.open(self.path("a.tar"), "w") as tar:
            for name in ("x.cls", "x.png", "x.cls"):
                tar.add(self.path("styles/red.png"), name)
        self.batch_fails(3, contents=("a.tar",), says=["a.tar", "'x.cls' is in it twice"])
        self.archive("a.tar", 3)
        os.truncate(self.path("a.tar"), os.path.getsize(self.path("a.tar")) // 2)
        self.batch_fails(3, contents=("a.tar",), says=["a.tar", "ends early"])
        for name in ("../a.png", "/a.png", "b/../../a.png"):
            write("a.tar", lambda member, name=name: setattr(member, "name", name))
            self.batch_fails(3, contents=("a.tar",), says=["a.tar", name])
        with open(self.path("a.tar"), "wb") as file:
            file.write(b"x" * 2000)
        self.batch_fails(3, contents=("a.tar",), says=["a.tar", "no tar archive"])
        self.assertFalse(os.path.exists(self.path("out")))


if __name__ == "__main__":
    unittest.main()
