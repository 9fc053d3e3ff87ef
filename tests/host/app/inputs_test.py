# SPDX-License-Identifier: MIT
"""Pictures and weights that cannot be read: exit 3 or 4, the file named, nothing written."""

import os
import struct
import unittest

import png
from harness import ProgramTest, weights


def gradient(x, y):
    return (5 * x % 256, 7 * y % 256, (x + y) % 256)


class PictureTest(ProgramTest):
    def refuse(self, content, says=()):
        before = self.files()
        self.fail_with(3, "stylize", content, "sample:painting", "-o", "out.png",
                       says=[content, *says])
        self.fail_with(3, "stylize", "sample:scene", content, "-o", "out.png", says=[content])
        self.assertEqual(self.files(), before)

    def write_bytes(self, name, data):
        with open(self.path(name), "wb") as file:
            file.write(data)

    def test_missing(self):
        self.refuse("nowhere.png")

    def test_folder(self):
        os.mkdir(self.path("folder.png"))
        self.refuse("folder.png")

    def test_empty(self):
        self.write_bytes("empty.png", b"")
        self.refuse("empty.png")

    def test_a_file_of_the_system_is_not_called_empty(self):
        self.refuse("/proc/self/status", says=["its length is not known"])
        self.fail_with(4, "weights", "inspect", "/proc/self/status", says="its length is not known")

    def test_a_png_that_is_none(self):
        self.write_bytes("apple.png", b"\x89PNG\r\n\x1a\n" + png.chunk(b"CgBI", b"\x50\0\x20\x02"))
        self.refuse("apple.png", says=["Apple"])
        self.write_bytes("text.png", b"\x89PNG\n\x1a\n" + png.header(8, 8)[8:])
        self.refuse("text.png", says=["copied as text"])

    def test_a_kind_of_tiff_that_is_not_read_is_not_called_damaged(self):
        # 16×16 pixels, a tile for each colour.
        entries = ((256, 16), (257, 16), (258, 8), (259, 1), (262, 2), (277, 3), (284, 2), (322, 16), (323, 16),
                   (324, (200, 456, 712)), (325, (256, 256, 256)))
        directory, values, at = struct.pack("<H", len(entries)), b"", 8 + 2 + 12 * len(entries) + 4
        for tag, value in entries:
            if isinstance(value, tuple):
                directory += struct.pack("<HHII", tag, 4, len(value), at + len(values))
                values += struct.pack(f"<{len(value)}I", *value)
            else:
                directory += struct.pack("<HHIHH", tag, 3, 1, value, 0)
        data = b"II*\0" + struct.pack("<I", 8) + directory + bytes(4) + values
        self.write_bytes("planes.tif", data.ljust(200, b"\0") + bytes(768))
        self.refuse("planes.tif", says=["a kind of TIFF that is not read"])

    def test_text(self):
        self.write_bytes("text.png", b"this is no picture\n" * 100)
        self.refuse("text.png")

    def test_truncated(self):
        png.write(self.path("whole.png"), 64, 64, gradient)
        with open(self.path("whole.png"), "rb") as file:
            data = file.read()
        for part in (4, 20, 40, len(data) // 2, len(data) * 7 // 8):
            self.write_bytes("part.png", data[:part])
            self.refuse("part.png")

    def test_huge_header(self):
        for width, height in ((60000, 60000), (1, 2**31 - 1), (32768, 32768)):
            self.write_bytes("bomb.png", png.header(width, height) + png.chunk(b"IDAT", b"x" * 64))
            self.refuse("bomb.png")

    def test_damaged_jpeg_is_read_with_a_note(self):
        self.stylize(iterations=1, output="whole.jpg")
        with open(self.path("whole.jpg"), "rb") as file:
            data = file.read()
        self.write_bytes("part.jpg", data[:-200] + b"\xff\xd9")
        result = self.stylize(iterations=1, content="part.jpg")
        self.assertIn("note: 'part.jpg' is damaged", result.stderr)

    def test_one_pixel_beside_a_sample(self):
        png.write(self.path("dot.png"), 1, 1, gradient)
        self.succeed("score", "dot.png", "--content", "sample:scene", "--style", "sample:painting",
                     "--weights", weights())

    def test_sample_beyond_the_limit_of_files(self):
        for command in (("samples", "."), ("score", "sample:scene", "--content", "sample:scene",
                                           "--style", "sample:painting")):
            self.fail_with(2, *command, "--size", "32768", says=["32768×24576", "the limit is 268435456"])
        self.assertEqual(self.files(), [])

    def test_initial_picture(self):
        self.fail_with(3, *self.stylize_arguments("--init", "nowhere.png"), says="nowhere.png")

    def test_score_of_another_shape(self):
        self.fail_with(3, "score", "sample:scene", "--size", "64", "--content", self.tall(),
                       "--style", "sample:painting", says=["tall.png", "shape"])

    def tall(self):
        png.write(self.path("tall.png"), 20, 60, gradient)
        return "tall.png"


class WeightsTest(ProgramTest):
    def refuse(self, path):
        self.fail_with(4, "stylize", "sample:scene", "sample:painting", "-o", "out.png",
                       "--size", "48", "--weights", path, says=path)
        self.assertNotIn("out.png", self.files())

    def test_missing(self):
        self.refuse("nowhere.h5")

    def test_not_weights(self):
        with open(self.path("text.h5"), "w", encoding="utf-8") as file:
            file.write("no weights\n" * 1000)
        self.refuse("text.h5")

    def test_truncated(self):
        with open(weights(), "rb") as file:
            data = file.read(1 << 20)
        with open(self.path("part.h5"), "wb") as file:
            file.write(data)
        self.refuse("part.h5")


if __name__ == "__main__":
    unittest.main()
