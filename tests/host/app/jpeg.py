# SPDX-License-Identifier: MIT
"""Just enough JPEG to make pictures for the program to read: baseline, of blocks of one colour each."""

import struct

# Codes of four bits for the nine sizes of a difference, and of one bit for the end of a block.
TABLES = ((0x00, bytes([0, 0, 0, 9, *[0] * 12]), bytes(range(9))), (0x10, bytes([1, *[0] * 15]), b"\0"))


def segment(marker, body):
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def write(path, blocks, orientation=None, adobe=False):
    """`blocks` are rows of 8 x 8 pixels of one colour: a tuple of 1 value for grey, 3 for YCbCr, 4 for CMYK, which
    is inverted where `adobe` says so."""
    height, width, channels = len(blocks), len(blocks[0]), len(blocks[0][0])
    data = b"\xff\xd8"
    if orientation is not None:
        tag = struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)
        data += segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0\x01\0" + tag + b"\0\0\0\0")
    if adobe:
        data += segment(0xEE, b"Adobe\0\x64\0\0\0\0\0")
    data += segment(0xDB, b"\0" + b"\x08" * 64)
    components = b"".join(bytes([i + 1, 0x11, 0]) for i in range(channels))
    data += segment(0xC0, struct.pack(">BHHB", 8, 8 * height, 8 * width, channels) + components)
    for kind, counts, values in TABLES:
        data += segment(0xC4, bytes([kind]) + counts + values)
    data += segment(0xDA, bytes([channels]) + b"".join(bytes([i + 1, 0]) for i in range(channels)) + b"\0\x3f\0")
    with open(path, "wb") as file:
        file.write(data + scan(blocks, channels) + b"\xff\xd9")


def scan(blocks, channels):
    bits, before = "", [128] * channels
    for row in blocks:
        for block in row:
            for i, value in enumerate(block):
                difference, before[i] = value - before[i], value
                size = abs(difference).bit_length()
                bits += f"{size:04b}"
                if size > 0:
                    bits += f"{difference if difference > 0 else difference + (1 << size) - 1:0{size}b}"
                bits += "0"
    bits += "1" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")
