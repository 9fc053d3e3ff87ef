# SPDX-License-Identifier: MIT
"""Just enough PNG to look at what the program wrote and to make pictures for it to read."""

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def chunks(data):
    """Every (type, body) of a complete file; raises ValueError for anything less."""
    if data[:8] != SIGNATURE:
        raise ValueError("not a PNG file")
    found, at = [], 8
    while True:
        if at + 12 > len(data):
            raise ValueError("the file ends within a chunk")
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        (crc,) = struct.unpack(">I", data[at + 8 + length : at + 12 + length])
        if crc != zlib.crc32(kind + body):
            raise ValueError("wrong checksum in a chunk")
        found.append((kind, body))
        at += 12 + length
        if kind == b"IEND":
            break
    if at != len(data):
        raise ValueError("bytes after the end")
    return found


TEXTS = (b"tEXt", b"zTXt")  # libvips writes the first where it has libspng


def text(data):
    """The keyword and the text of a file that has one text."""
    ((kind, body),) = [(kind, body) for kind, body in chunks(data) if kind in TEXTS]
    key, rest = body.split(b"\0", 1)
    return key, rest if kind == b"tEXt" else zlib.decompress(rest[1:])


class Picture:
    """A decoded file: width, height, bits, channels and rows of raw bytes."""

    def __init__(self, path):
        with open(path, "rb") as file:
            parts = chunks(file.read())
        header = dict(parts)[b"IHDR"]
        self.width, self.height, self.bits, colour = struct.unpack(">IIBB", header[:10])
        self.channels = CHANNELS[colour]
        raw = zlib.decompress(b"".join(body for kind, body in parts if kind == b"IDAT"))
        self.step = self.channels * self.bits // 8
        stride = self.width * self.step
        if len(raw) != self.height * (stride + 1):
            raise ValueError("the pixels are incomplete")
        self._raw, self._stride = raw, stride

    def rows(self):
        """The unfiltered rows, as bytearrays."""
        previous, rows = bytearray(self._stride), []
        for y in range(self.height):
            line = self._raw[y * (self._stride + 1) : (y + 1) * (self._stride + 1)]
            previous = self._unfilter(line[0], bytearray(line[1:]), previous)
            rows.append(previous)
        return rows

    def _unfilter(self, kind, row, above):
        for i in range(len(row)):
            left = row[i - self.step] if i >= self.step else 0
            corner = above[i - self.step] if i >= self.step else 0
            row[i] = (row[i] + predicted(kind, left, above[i], corner)) & 255
        return row


def predicted(kind, left, up, corner):
    if kind == 4:
        guess = left + up - corner
        distance = [abs(guess - left), abs(guess - up), abs(guess - corner)]
        return (left, up, corner)[distance.index(min(distance))]
    return (0, left, up, (left + up) // 2)[kind]


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def header(width, height, bits=8, colour=2):
    return SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))


def profile(colourants):
    """An ICC profile of version 2: a power of 2.2, and where red, green and blue lie in D50's XYZ."""
    def number(value):
        return struct.pack(">i", round(65536 * value))

    def xyz(values):
        return b"XYZ \0\0\0\0" + b"".join(map(number, values))

    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(2.2 * 256)) + b"\0\0"
    name = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + bytes(79)
    parts = [(b"desc", name), (b"cprt", b"text\0\0\0\0none\0\0\0\0"), (b"wtpt", xyz((0.9642, 1, 0.8249)))]
    for colour, values in zip(b"rgb", colourants):
        parts += [(bytes([colour]) + b"XYZ", xyz(values)), (bytes([colour]) + b"TRC", curve)]
    at = 128 + 4 + 12 * len(parts)
    table, data = struct.pack(">I", len(parts)), b""
    for tag, body in parts:
        body += bytes(-len(body) % 4)
        table += tag + struct.pack(">II", at + len(data), len(body))
        data += body
    head = struct.pack(">I4sI4s4s4s12s4s", at + len(data), bytes(4), 0x02400000, b"mntr", b"RGB ", b"XYZ ",
                       bytes([7, 230, 0, 1, 0, 1] + 6 * [0]), b"acsp")
    head += bytes(68 - len(head)) + b"".join(map(number, (0.9642, 1, 0.8249)))
    return head + bytes(128 - len(head)) + table + data


def write(path, width, height, pixel, bits=8, alpha=False, icc=None):
    """pixel(x, y) gives the channel values as integers of `bits` bits; icc is a profile."""
    form = ">H" if bits == 16 else ">B"
    rows = b"".join(
        b"\0" + b"".join(struct.pack(form, v) for x in range(width) for v in pixel(x, y))
        for y in range(height)
    )
    body = chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    with open(path, "wb") as file:
        own = b"" if icc is None else chunk(b"iCCP", b"own\0\0" + zlib.compress(icc))
        file.write(header(width, height, bits, 6 if alpha else 2) + own + body)


def write_palette(path, width, height, colours, index):
    """index(x, y) is the place of a colour in the list."""
    rows = b"".join(b"\0" + bytes(index(x, y) for x in range(width)) for y in range(height))
    body = chunk(b"PLTE", b"".join(bytes(colour) for colour in colours)) + chunk(b"IDAT", zlib.compress(rows))
    with open(path, "wb") as file:
        file.write(header(width, height, 8, 3) + body + chunk(b"IEND", b""))
