# SPDX-License-Identifier: MIT
"""--film: an animated WebP of the run, short and small however long and large the run is."""

import signal
import struct
import unittest
from pathlib import Path

import png
from harness import ProgramTest


class Film:
    """The chunks of an animated WebP (RIFF container): its size, and how long each frame stays. Frames
    that are the same are one, which stays longer."""

    def __init__(self, path):
        data = Path(path).read_bytes()
        assert data[:4] == b"RIFF" and data[8:12] == b"WEBP" and len(data) == struct.unpack_from("<I", data, 4)[0] + 8
        self.bytes, self.milliseconds, at = len(data), [], 12
        while at < len(data):
            name, length = data[at : at + 4], struct.unpack_from("<I", data, at + 4)[0]
            body = data[at + 8 : at + 8 + length]
            if name == b"VP8X":
                self.size = (int24(body, 4) + 1, int24(body, 7) + 1)
            elif name == b"ANIM":
                self.loops = struct.unpack_from("<H", body, 4)[0]
            elif name == b"ANMF":
                self.milliseconds.append(int24(body, 12))
            at += 8 + length + length % 2
        assert at == len(data)


def int24(data, at):
    return int.from_bytes(data[at : at + 3], "little")


class FilmTest(ProgramTest):
    def film(self, *more, iterations=3, size=48, **pictures):
        arguments = self.stylize_arguments("--film", "film.webp", "--iterations", iterations, *more, **pictures)
        arguments[arguments.index("--size") + 1] = size
        self.succeed(*arguments)
        self.assertEqual(self.files(), sorted({"film.webp", "out.png"} | set(self.given)))
        return Film(self.path("film.webp"))

    given = ()

    def test_goes_from_the_first_picture_to_the_result_which_stays(self):
        film = self.film(iterations=3)
        self.assertEqual(film.milliseconds, [80, 80, 80, 2500])  # of iterations 0, 1, 2 and the result
        self.assertEqual((film.size, film.loops), ((48, 36), 0))

    def test_a_long_run_has_60_frames_and_the_result_at_most(self):
        for iterations, frames in ((30, 27), (120, 43)):
            film = self.film(iterations=iterations, size=16)
            self.assertEqual(sum(film.milliseconds), 80 * frames + 2500)

    def test_a_large_picture_has_small_frames_and_all_scales_have_one_size(self):
        film = self.film("--scales", "3", size=576)
        self.assertEqual(film.size, (512, 384))
        self.assertEqual(sum(film.milliseconds), 3 * 80 + 2500)

    def test_keeps_transparency_and_colours_as_the_result_does(self):
        self.given = ("in.png",)
        png.write(self.path("in.png"), 48, 40, alpha=True, pixel=lambda x, y: (4 * x, 6 * y, 90, 255 if x > 24 else 0))
        film = self.film("--colors", "luminance", content="in.png")
        self.assertEqual(film.size, (48, 40))
        # Its first frame is the content, and is a picture that the program reads.
        self.stylize("--init", "film.webp", content="in.png", output="again.png")

    def test_holds_the_recipe(self):
        self.film("--style-weight", "3.5")
        self.succeed("stylize", "sample:scene", "sample:painting", "-o", "again.png", "--from", "film.webp",
                     "--weights", self.weights())
        self.assertEqual(Path(self.path("again.png")).read_bytes(), Path(self.path("out.png")).read_bytes())

    def weights(self):
        arguments = self.stylize_arguments()
        return arguments[arguments.index("--weights") + 1]

    def test_a_run_that_is_stopped_has_the_frames_so_far(self):
        process = self.start(*self.stylize_arguments("--iterations", "1000000", "--film", "film.webp", "--log",
                                                     "run.jsonl"))
        self.wait_for_lines(process, "run.jsonl", 12)
        process.send_signal(signal.SIGINT)
        _, messages = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, messages)
        self.assertIn("film.webp", messages)
        self.assertEqual(Film(self.path("film.webp")).milliseconds[-1], 2500)

    def test_does_not_take_the_place_of_another_file(self):
        self.fail_with(2, *self.stylize_arguments("--film", "film.gif"), says=("film.gif", ".webp"))
        self.fail_with(2, *self.stylize_arguments("--film", "out.webp", output="out.webp"), says="one file")
        self.fail_with(6, *self.stylize_arguments("--film", "no/film.webp"), says="no/film.webp")
        self.assertEqual(self.files(), [])

    def test_a_film_that_cannot_be_written_does_not_cost_the_result(self):
        process = self.start(*self.stylize_arguments("--iterations", "60", "--film", "film.webp", "--log", "run.jsonl"))
        self.wait_for_lines(process, "run.jsonl", 2)
        Path(self.path("film.webp")).mkdir()
        _, messages = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 6, messages)
        self.assertIn("film.webp", messages)
        self.assert_complete_picture("out.png")

    def test_is_of_one_picture(self):
        self.fail_with(2, "batch", "sample:scene", "--styles", "sample:painting", "-o", "out", "--film", "film.webp",
                       says="--film")


if __name__ == "__main__":
    unittest.main()
