# SPDX-License-Identifier: MIT
"""impasto frames: films whose frames go together, that go on after whatever stops them."""

import json
import math
import os
import shutil
import signal
import struct
import subprocess
import unittest
from pathlib import Path

import png
from harness import LIGHT, ProgramTest, read_log, weights

WIDTH, HEIGHT = 48, 36


def texture(x, y):
    """Stripes and spots of several sizes, which a flow can follow."""
    a = math.sin(0.31 * x + 0.07 * y) + math.sin(0.11 * x - 0.29 * y + 2)
    b = math.sin(0.53 * x + 0.4 * y + 1) + math.sin(0.05 * x + 0.61 * y)
    return [round(128 + 40 * a + 15 * b), round(120 + 25 * a - 30 * b), round(110 - 35 * b + 10 * a)]


def clamped(colour):
    return [min(max(value, 0), 255) for value in colour]


def pan(i):
    """The view moves by two pixels a frame."""
    return lambda x, y: clamped(texture(x + 2 * i, y))


def ball(i):
    """A ball that moves by three pixels a frame over what stays."""
    def pixel(x, y):
        dx, dy = x - 10 - 3 * i, y - 18
        return clamped(texture(5 * dx + 300, 5 * dy)) if dx * dx + dy * dy < 49 else clamped(texture(x, y))
    return pixel


def other(i):
    return lambda x, y: clamped([255 - value for value in texture(3 * y + 500, 2 * x + 2 * i)])


def flo(path, motion, width=WIDTH, height=HEIGHT):
    with open(path, "wb") as file:
        file.write(b"PIEH" + struct.pack("<ii", width, height) + struct.pack("<ff", *motion) * (width * height))


def pixels(path):
    picture = png.Picture(path)
    return [row[i] for row in picture.rows() for i in range(len(row)) if i % picture.step < 3]


def mean_square(one, other_one, where):
    return sum((one[i] - other_one[j]) ** 2 for i, j in where) / len(where)


class FramesTest(ProgramTest):
    def film(self, *scenes, folder="in"):
        """Pictures of one scene after the other."""
        Path(self.path(folder)).mkdir()
        for number, pixel in enumerate(scenes):
            png.write(self.path(f"{folder}/f{number + 1}.png"), WIDTH, HEIGHT, pixel)

    def run_program(self, *arguments, **options):
        # Pictures this small are quicker on one thread.
        options["env"] = {"OMP_NUM_THREADS": "1", **options.get("env", {})}
        return super().run_program(*arguments, **options)

    def arguments(self, *more, source="in", output="out", iterations=8, later=3):
        return ["frames", source, output, "--style", "sample:painting", "--weights", weights(), "--size", WIDTH,
                "--iterations", iterations, "--frame-iterations", later, *LIGHT, *more]

    def frames(self, *more, **options):
        return self.succeed(*self.arguments(*more, **options))

    def results(self, folder="out"):
        """The results' bytes by name."""
        return {path.name: path.read_bytes() for path in sorted(Path(self.path(folder)).glob("*.png"))}

    def log(self, name="run.jsonl"):
        return [record for record in read_log(self.path(name)) if record["event"] == "frame"]

    def alone(self, number, *more):
        """A frame as a picture by itself, painted with as many steps as the first."""
        self.succeed("stylize", f"in/f{number}.png", "sample:painting", "-o", f"alone{number}.png", "--weights",
                     weights(), "--size", WIDTH, "--iterations", 8, *LIGHT, *more)
        return pixels(self.path(f"alone{number}.png"))


class Film(FramesTest):
    def test_a_pan_flickers_a_quarter_as_much_as_frames_by_themselves(self):
        self.film(*(pan(i) for i in range(3)))
        Path(self.path("flow")).mkdir()
        for i in (1, 2):
            flo(self.path(f"flow/backward_{i + 1}_{i}.flo"), (2, 0))
            flo(self.path(f"flow/forward_{i}_{i + 1}.flo"), (-2, 0))
        self.frames("--flow", "flow", "--log", "run.jsonl", "--init", "random")
        held = [pixels(self.path(f"out/f{i}.png")) for i in (1, 2, 3)]
        alone = [self.alone(i, "--init", "random", "--seed", i) for i in (1, 2, 3)]
        # What is at x in a frame was at x + 2 in the one before.
        where = [(3 * (WIDTH * y + x) + c, 3 * (WIDTH * y + x + 2) + c)
                 for y in range(HEIGHT) for x in range(WIDTH - 2) for c in range(3)]
        for i in (1, 2):
            ratio = mean_square(held[i], held[i - 1], where) / mean_square(alone[i], alone[i - 1], where)
            self.assertLessEqual(ratio, 0.25)
        first, *later = self.log()
        self.assertTrue(first["begins_scene"])
        self.assertEqual([record["iterations"] for record in (first, *later)], [8, 3, 3])
        self.assertEqual([record["ended_early"] for record in (first, *later)], [[], [], []])
        for record in later:
            self.assertFalse(record["begins_scene"])
            self.assertAlmostEqual(record["held"], (WIDTH - 2) / WIDTH, places=6)

    def test_what_stays_does_so_behind_what_moves(self):
        self.film(*(ball(i) for i in range(3)))
        result = self.run_program(*self.arguments("--init", "random"))
        if "without OpenCV" in result.stderr:
            self.skipTest("this build has no OpenCV (libopencv-video-dev)")
        self.assertEqual(result.returncode, 0, result.stderr)
        held = [pixels(self.path(f"out/f{i}.png")) for i in (1, 2, 3)]
        alone = [self.alone(i, "--init", "random", "--seed", i) for i in (1, 2, 3)]
        # Away from the ball, which ends before column 24.
        still = [3 * (WIDTH * y + x) + c for y in range(HEIGHT) for x in range(30, WIDTH) for c in range(3)]
        for i in (1, 2):
            where = [(at, at) for at in still]
            ratio = mean_square(held[i], held[i - 1], where) / mean_square(alone[i], alone[i - 1], where)
            self.assertLessEqual(ratio, 0.25)


class Flows(FramesTest):
    """Films of given flow, which every build makes."""

    def setUp(self):
        super().setUp()
        self.film(*(pan(i) for i in range(4)))
        Path(self.path("flow")).mkdir()
        for j in (1, 2):
            for i in range(1, 5 - j):
                flo(self.path(f"flow/backward_{i + j}_{i}.flo"), (2 * j, 0))
                flo(self.path(f"flow/forward_{i}_{i + j}.flo"), (-2 * j, 0))

    def arguments(self, *more, **options):
        return super().arguments("--flow", "flow", *more, **options)

    def test_the_first_frame_is_the_picture_that_stylize_makes(self):
        self.frames()
        self.alone(1)
        self.assertEqual(Path(self.path("alone1.png")).read_bytes(), self.results()["f1.png"])

    def test_the_recipe_of_a_later_frame_makes_no_still(self):
        self.frames()
        again = ("-o", "again.png", "--weights", weights())
        self.succeed("stylize", "in/f1.png", "sample:painting", *again, "--from", "out/f1.png")
        self.assertEqual(Path(self.path("again.png")).read_bytes(), self.results()["f1.png"])
        self.fail_with(2, "stylize", "in/f2.png", "sample:painting", *again, "--from", "out/f2.png", says="out/f2.png")

    def test_each_control_changes_the_later_frames_alone(self):
        self.frames(output="a")
        usual = self.results("a")
        self.frames("--temporal-weight", 0, output="b")
        self.frames(later=5, output="c")
        for changed in (self.results("b"), self.results("c")):
            self.assertEqual(changed["f1.png"], usual["f1.png"])
            self.assertNotEqual(changed["f2.png"], usual["f2.png"])
        # Where the flow to the last frame does not come back, the one before it counts.
        flo(self.path("flow/forward_2_3.flo"), (9, 0))
        self.frames(output="e")
        self.frames("--long-term", "1,2", output="f")
        self.assertNotEqual(self.results("e")["f3.png"], self.results("f")["f3.png"])

    def test_what_comes_into_sight_begins_as_a_picture_does(self):
        # Steps too small to see: a frame is what it starts from.
        self.frames("--init", "content", "--optimizer", "adam", "--learning-rate", 1e-4)
        found, content = (pixels(self.path(f"{folder}/f2.png")) for folder in ("out", "in"))
        new = [3 * (WIDTH * y + x) + c for y in range(HEIGHT) for x in (WIDTH - 2, WIDTH - 1) for c in range(3)]
        for at in new:
            self.assertAlmostEqual(found[at], content[at], delta=1)

    def test_a_longer_weight_holds_a_frame_closer(self):
        def error(weight, output):
            self.frames("--temporal-weight", weight, output=output, iterations=12)
            one, two = (pixels(self.path(f"{output}/f{i}.png")) for i in (1, 2))
            return mean_square(two, one, [(3 * (WIDTH * y + x) + c, 3 * (WIDTH * y + x + 2) + c)
                                          for y in range(HEIGHT) for x in range(WIDTH - 2) for c in range(3)])
        self.assertLess(error(10, "a"), 0.5 * error(0, "b"))

    def test_goes_on_to_the_same_bytes_after_frames_are_gone(self):
        self.frames("--long-term", "1,2")
        whole = self.results()
        for gone, begins in (("f4.png", False), ("f2.png", True)):
            os.remove(self.path("out/" + gone))
            messages = self.frames("--long-term", "1,2").stderr
            self.assertEqual("beginning at the first frame" in messages, begins)
            self.assertEqual(self.results(), whole)
        # A film that was stopped: its fourth frame had no picture yet.
        os.rename(self.path("in/f4.png"), self.path("f4.png"))
        self.frames("--long-term", "1,2", output="stopped")
        os.rename(self.path("f4.png"), self.path("in/f4.png"))
        self.frames("--long-term", "1,2", "--log", "run.jsonl", output="stopped")
        self.assertEqual([record["frame"] for record in self.log()], [4])
        self.assertEqual(self.results("stopped"), whole)

    def test_says_when_nothing_is_missing(self):
        self.frames()
        said = json.loads(self.frames("--json").stdout)
        self.assertEqual((said["frames"], said["made"], said["ending"]), (4, 0, "finished"))

    def test_goes_on_to_the_same_bytes_after_a_signal(self):
        self.frames(output="whole", iterations=8)
        process = self.start(*self.arguments("--log", "run.jsonl", iterations=8))
        self.wait_for_lines(process, "run.jsonl", 3)
        process.send_signal(signal.SIGINT)
        _, messages = process.communicate(timeout=60)
        if process.returncode != 0:  # else it was quicker
            self.assertEqual(process.returncode, 130, messages)
            self.assertIn("goes on", messages)
        self.frames()
        self.assertEqual(self.results(), self.results("whole"))

    def test_goes_on_with_the_same_settings_only(self):
        self.frames()
        before = self.results()
        for more in (("--style-weight", 3), ("--long-term", "1,2"), ("--seed", 5)):
            self.fail_with(2, *self.arguments(*more), says=("another configuration", "out"))
        self.fail_with(2, *FramesTest.arguments(self, "--flow", "elsewhere"), says="flow")
        self.assertEqual(self.results(), before)

    def test_goes_on_with_the_same_pictures_only(self):
        self.frames()
        before = self.results()
        os.remove(self.path("out/f4.png"))
        png.write(self.path("in/f4.png"), WIDTH, HEIGHT, pan(4))  # is not there yet
        self.frames()
        self.assertNotEqual(self.results()["f4.png"], before["f4.png"])
        before = self.results()
        os.utime(self.path("in/f2.png"), (0, 0))
        self.frames()
        png.write(self.path("in/f2.png"), WIDTH, HEIGHT, pan(7))
        self.fail_with(2, *self.arguments(), says=("out/f2.png", "another picture"))
        self.assertEqual(self.results(), before)

    def test_a_status_says_how_many_frames_are_done(self):
        self.frames()
        self.assertEqual(self.succeed("status", "out").stdout, "4 frames: 4 done, 0 missing\n")
        os.remove(self.path("out/f4.png"))
        said = self.run_program("status", "out", "--json")
        self.assertEqual((said.returncode, json.loads(said.stdout)),
                         (3, {"total": 4, "done": 3, "failed": 0, "missing": 1}))
        self.fail_with(2, "resume", "out", says=("film", "impasto frames"))

    def test_damaged_records_cost_time_and_nothing_else(self):
        self.frames()
        whole = self.results()
        os.remove(self.path("out/f4.png"))
        for record in Path(self.path("out/.impasto")).glob("*.tif"):
            record.write_bytes(record.read_bytes()[:100])
        self.assertIn("beginning at the first frame", self.frames().stderr)
        self.assertEqual(self.results(), whole)

    def test_keeps_no_more_records_than_it_needs(self):
        self.frames("--long-term", "1,2")
        kept = sorted(path.name for path in Path(self.path("out/.impasto")).glob("*"))
        self.assertEqual(kept, ["000002.tif", "000003.tif", "000004.tif", "frames.json", "lock", "sources.jsonl"])

    def test_flows_are_of_any_size_with_the_frames_shape(self):
        self.frames()
        for i in range(1, 4):
            flo(self.path(f"flow/backward_{i + 1}_{i}.flo"), (4, 0), 2 * WIDTH, 2 * HEIGHT)
            flo(self.path(f"flow/forward_{i}_{i + 1}.flo"), (-4, 0), 2 * WIDTH, 2 * HEIGHT)
        self.frames(output="large")
        self.assertEqual(self.results(), self.results("large"))

    def test_refuses_flows_that_make_no_sense(self):
        path = self.path("flow/forward_1_2.flo")
        flo(path, (0, 0), 30, 30)
        self.fail_with(3, *self.arguments(), says=("forward_1_2.flo", "48x36", "30x30"))
        Path(path).write_bytes(b"PIEH" + struct.pack("<ii", 2**31 - 1, 2**31 - 1))
        self.fail_with(3, *self.arguments(), says="forward_1_2.flo")
        os.remove(path)
        self.fail_with(3, *self.arguments(), says=("forward_1_2.flo", "No such file"))
        self.assertEqual(list(self.results()), ["f1.png"])  # it can go on from there

    def test_a_new_scene_starts_anew(self):
        for i in (3, 4):
            png.write(self.path(f"in/f{i}.png"), WIDTH, HEIGHT, other(i))
        messages = self.frames("--log", "run.jsonl", "--long-term", "1,2").stderr
        self.assertIn("frame 3 begins a new scene", messages)
        self.assertEqual([record["begins_scene"] for record in self.log()], [True, False, True, False])
        self.alone(3)
        self.assertEqual(Path(self.path("alone3.png")).read_bytes(), self.results()["f3.png"])

    def test_a_dry_run_says_what_it_takes_and_writes_nothing(self):
        plan = self.frames("--dry-run").stdout
        self.assertRegex(plan, r"(?m)^frames +4$")
        self.assertRegex(plan, r"(?m)^frame-iterations +3$")
        arguments = self.arguments("--dry-run")
        at = arguments.index("--frame-iterations")
        plan = self.succeed(*arguments[:at], *arguments[at + 2:]).stdout
        for line in ("frame-iterations +2", "temporal-weight +1", "long-term +1"):
            self.assertRegex(plan, rf"(?m)^{line}$")
        self.assertNotIn("temporal-weight", self.succeed("stylize", "in/f1.png", "sample:painting", "-o", "x.png",
                                                         "--weights", weights(), "--size", WIDTH, *LIGHT, "--dry-run").stdout)
        said = json.loads(self.frames("--dry-run", "--json").stdout)
        self.assertEqual((said["frames"], said["width"]), (4, WIDTH))
        self.assertFalse(os.path.exists(self.path("out")))


class Inputs(FramesTest):
    def test_frames_come_in_the_order_of_their_numbers(self):
        Path(self.path("in")).mkdir()
        for name in ("f10.png", "f9.png", "f1.png", "a100.png"):
            png.write(self.path("in/" + name), WIDTH, HEIGHT, pan(0))
        Path(self.path("flow")).mkdir()
        for i in range(1, 4):
            flo(self.path(f"flow/backward_{i + 1}_{i}.flo"), (0, 0))
            flo(self.path(f"flow/forward_{i}_{i + 1}.flo"), (0, 0))
        self.frames("--flow", "flow", "--log", "run.jsonl", iterations=1)
        names = [os.path.basename(record["output"]) for record in self.log()]
        self.assertEqual(names, ["a100.png", "f1.png", "f9.png", "f10.png"])

    def test_refuses_what_is_no_film(self):
        self.fail_with(3, *self.arguments("--flow", "x", source="missing"), says=("missing", "No such file"))
        Path(self.path("empty")).mkdir()
        self.fail_with(3, *self.arguments("--flow", "x", source="empty"), says="no picture is in this folder")
        self.fail_with(2, "frames", "in", says=("OUT", "--style"))
        for out in ("out.gif", "out.AVI", "x/out.png", "out.jpeg"):
            self.fail_with(2, *self.arguments("--flow", "x", source="empty", output=out), says=("OUT", out, ".mp4"))
        self.assertEqual(self.files(), ["empty"])

    def test_frames_of_another_size_are_refused(self):
        self.film(pan(0))
        png.write(self.path("in/f2.png"), WIDTH, WIDTH, pan(1))
        Path(self.path("flow")).mkdir()
        flo(self.path("flow/backward_2_1.flo"), (2, 0))
        flo(self.path("flow/forward_1_2.flo"), (-2, 0))
        self.fail_with(3, *self.arguments("--flow", "flow"), says=("f2.png", "48x36", "48x48"))

    def test_replaces_no_file(self):
        self.film(pan(0))
        self.fail_with(2, *self.arguments("--flow", "x", output="in"), says="would replace the film")
        Path(self.path("out")).mkdir()
        Path(self.path("out/f1.png")).write_bytes(b"mine")
        self.fail_with(2, *self.arguments("--flow", "x"), says=("out/f1.png", "already"))
        Path(self.path("out.mp4")).write_bytes(b"mine")
        self.fail_with(2, *self.arguments("--flow", "x", output="out.mp4"), says=("out.mp4", "already"))
        # The folder of a video's frames is removed in the end.
        Path(self.path("new.mp4.frames")).mkdir()
        Path(self.path("new.mp4.frames/notes.txt")).write_bytes(b"mine")
        self.fail_with(2, *self.arguments("--flow", "x", output="new.mp4"), says=("new.mp4.frames/notes.txt", "already"))
        png.write(self.path("in/f1.jpg.png"), WIDTH, HEIGHT, pan(0))
        os.rename(self.path("in/f1.jpg.png"), self.path("in/f1.tif"))
        self.fail_with(3, *self.arguments("--flow", "x", output="new"), says=("f1.tif", "f1.png"))

    def test_names_the_folder_or_file_that_cannot_be_made(self):
        self.film(pan(0))
        self.fail_with(6, *self.arguments(output="in/f1.png/out"), says="cannot make the folder 'in/f1.png/out/.impasto'")
        os.makedirs(self.path("out/.impasto/lock"))
        self.fail_with(6, *self.arguments(), says="cannot write 'out/.impasto/lock': Is a directory")

    def test_settings_can_change_until_a_frame_is_there(self):
        self.film(pan(0), pan(1))
        Path(self.path("flow")).mkdir()
        self.fail_with(3, *self.arguments("--flow", "flow"), says=("flow/backward_2_1.flo", "No such file"))
        flo(self.path("flow/backward_2_1.flo"), (2, 0))
        self.fail_with(3, *self.arguments("--flow", "flow", iterations=1),
                       says=("flow/forward_1_2.flo", "No such file"))
        flo(self.path("flow/forward_1_2.flo"), (-2, 0))
        self.fail_with(3, *self.arguments("--flow", "flow", "--init", "missing.png"), says="missing.png")
        self.frames("--flow", "flow")
        self.assertEqual(list(self.results()), ["f1.png", "f2.png"])

    def test_distances_ascend_from_1(self):
        self.film(pan(0))
        for wrong in ("2", "0", "1,1", "2,1", "1,x", ""):
            self.fail_with(2, *self.arguments("--long-term", wrong), says="--long-term")

    def test_without_ffmpeg_a_video_is_refused_with_what_to_install(self):
        Path(self.path("film.mp4")).write_bytes(b"no video")
        self.fail_with(5, *self.arguments("--flow", "x", source="film.mp4"), env={"PATH": "/nowhere"},
                       says=("ffprobe", "install ffmpeg"))

    def test_what_a_program_says_nothing_of_has_its_exit_status(self):
        Path(self.path("film.mp4")).write_bytes(b"no video")
        program = Path(self.path("ffprobe"))
        program.write_text("#!/bin/sh\nexit 3\n")
        program.chmod(0o755)
        self.fail_with(3, *self.arguments("--flow", "x", source="film.mp4"), env={"PATH": self.path("")},
                       says=("film.mp4", "ffprobe ended with exit status 3"))


@unittest.skipUnless(shutil.which("ffmpeg") and shutil.which("ffprobe"), "ffmpeg is not installed")
class Videos(FramesTest):
    def probe(self, path, *more):
        return subprocess.run(["ffprobe", "-v", "error", "-of", "default=nw=1:nk=1", *more, self.path(path)], check=True,
                              capture_output=True, text=True).stdout.split()

    def make(self, name, *sound):
        self.film(*(pan(i) for i in range(3)))
        subprocess.run(["ffmpeg", "-v", "error", "-framerate", "10", "-i", self.path("in/f%d.png"), *sound, "-c:v", "ffv1",
                        self.path(name)], check=True, stdin=subprocess.DEVNULL)
        Path(self.path("flow")).mkdir()
        for i in (1, 2):
            flo(self.path(f"flow/backward_{i + 1}_{i}.flo"), (2, 0))
            flo(self.path(f"flow/forward_{i}_{i + 1}.flo"), (-2, 0))

    def test_a_video_becomes_a_video_and_keeps_its_sound(self):
        self.make("film.mkv", "-f", "lavfi", "-i", "sine=duration=0.3", "-c:a", "flac")
        said = json.loads(self.frames("--flow", "flow", "--json", source="film.mkv", output="out.mkv").stdout)
        self.assertEqual(said["frames"], 3)
        self.assertEqual(self.probe("out.mkv", "-count_packets", "-show_entries",
                                    "stream=codec_name,width,height,r_frame_rate,nb_read_packets")[:5],
                         ["h264", str(WIDTH), str(HEIGHT), "10/1", "3"])
        self.assertIn("flac", self.probe("out.mkv", "-show_entries", "stream=codec_name"))
        self.assertFalse(os.path.exists(self.path("out.mkv.frames")))

        def sound(path):
            return subprocess.run(["ffmpeg", "-v", "error", "-i", self.path(path), "-map", "0:a", "-f", "md5", "-"],
                                  check=True, capture_output=True, stdin=subprocess.DEVNULL).stdout
        self.assertEqual(sound("film.mkv"), sound("out.mkv"))

    def test_has_the_frames_of_the_pictures(self):
        self.make("film.mkv")
        self.frames("--flow", "flow")
        self.frames("--flow", "flow", source="film.mkv", output="from_video")
        self.assertEqual(list(self.results("from_video")), ["000001.png", "000002.png", "000003.png"])
        for one, two in zip(self.results().values(), self.results("from_video").values()):
            self.assertEqual(one, two)

    def test_a_video_goes_on_with_the_same_video_only(self):
        self.make("film.mkv")
        os.remove(self.path("flow/forward_2_3.flo"))  # ends the run there
        self.fail_with(3, *self.arguments("--flow", "flow", source="film.mkv", output="out.mkv"), says="forward_2_3.flo")
        said = self.run_program("status", "out.mkv")
        self.assertEqual((said.returncode, said.stdout), (3, "3 frames: 2 done, 1 missing\ntheir video is not made yet\n"))
        with open(self.path("film.mkv"), "ab") as film:
            film.write(b"\0")
        self.fail_with(2, *self.arguments("--flow", "flow", source="film.mkv", output="out.mkv"), says="video_sha256")

    def test_a_picture_of_one_pixel_makes_no_video(self):
        Path(self.path("in")).mkdir()
        png.write(self.path("in/f1.png"), 64, 1, pan(0))
        self.fail_with(3, *self.arguments("--flow", "x", output="out.mp4"), says=("2x2", "48x1"))
        self.fail_with(3, *self.arguments("--flow", "x", "--dry-run", output="out.mp4"), says=("2x2", "48x1"))

    def test_a_video_replaces_no_file_of_a_folder(self):
        self.make("film.mkv")
        Path(self.path("out")).mkdir()
        Path(self.path("out/000002.png")).write_bytes(b"mine")
        self.fail_with(2, *self.arguments("--flow", "flow", source="film.mkv"), says=("out/000002.png", "already"))

    def test_pictures_become_a_video_at_a_rate(self):
        self.make("film.mkv")
        self.frames("--flow", "flow", "--frame-rate", "12", output="50% of.mp4")
        self.assertIn("12/1", self.probe("50% of.mp4", "-show_entries", "stream=r_frame_rate"))
        self.fail_with(2, *self.arguments("--flow", "flow", output="50% of.mp4"), says="already")

    def test_goes_on_after_a_signal_to_the_terminal(self):
        self.make("film.mkv")
        process = self.start(*self.arguments("--flow", "flow", "--log", "run.jsonl", source="film.mkv", output="out.mkv",
                                             iterations=30), environment={"OMP_NUM_THREADS": "1"}, start_new_session=True)
        self.wait_for_lines(process, "run.jsonl", 2)
        os.killpg(process.pid, signal.SIGINT)
        _, messages = process.communicate(timeout=60)
        self.assertIn(process.returncode, (0, 130), messages)
        if process.returncode == 130:
            self.assertFalse(os.path.exists(self.path("out.mkv")))
            self.frames("--flow", "flow", source="film.mkv", output="out.mkv", iterations=30)
        self.assertEqual(self.probe("out.mkv", "-count_packets", "-show_entries", "stream=nb_read_packets"), ["3"])

    def test_a_file_that_is_no_video_is_refused(self):
        Path(self.path("film.mp4")).write_bytes(b"no video")
        self.fail_with(3, *self.arguments("--flow", "x", source="film.mp4"), says=("film.mp4", "no video"))
        self.assertFalse(os.path.exists(self.path("out")))

    def test_a_video_that_ends_early_is_refused_where_it_does(self):
        self.make("film.mkv")
        whole = Path(self.path("film.mkv")).read_bytes()
        Path(self.path("half.mkv")).write_bytes(whole[: len(whole) // 2])
        result = self.run_program(*self.arguments("--flow", "flow", source="half.mkv"))
        self.assertIn(result.returncode, (0, 3), result.stderr)


if __name__ == "__main__":
    unittest.main()
