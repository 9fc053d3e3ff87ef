#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The sheet that presets are judged by: photographs × styles × presets, as small pictures and a page.

Each preset is a name and options of `impasto stylize`:

    docs/gallery/gallery.py --photographs FOLDER --style sample:painting \\
        --preset 'built-in:' --preset 'trained:--weights vgg16.h5'

writes docs/gallery/<photograph>_<style>_<preset>.jpg, each of at most 100 kB, and sheet.jpg, in which a
row is a photograph with a style and a column is a preset. Needs python3-pil.
"""
import argparse
import shlex
import subprocess
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw

ROOT = Path(__file__).resolve().parents[2]
MOST_BYTES = 100_000


def save_small(picture, path):
    """As a JPEG of the best quality that is small enough."""
    for quality in range(90, 30, -5):
        picture.save(path, quality=quality, optimize=True)
        if path.stat().st_size <= MOST_BYTES:
            return
    raise SystemExit(f"{path}: over {MOST_BYTES} bytes at any quality; choose a smaller --size")


def stylized(program, photograph, style, size, options):
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.png"
        subprocess.run([program, "stylize", photograph, style, "-o", result, "--size", str(size), "--quiet",
                        *options], check=True)
        return Image.open(result).convert("RGB")


def seen(program, name, size):
    """A photograph or a style as the program sees it, a sample of its own included."""
    if not name.startswith("sample:"):
        picture = Image.open(name).convert("RGB")
        picture.thumbnail((size, size), Image.LANCZOS)
        return picture
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, "samples", folder, "--size", str(size)], check=True, stdout=subprocess.DEVNULL)
        return Image.open(Path(folder) / f"{name.removeprefix('sample:')}.png").convert("RGB")


def sheet(rows, labels, height=170, gap=8):
    """Rows of pictures, all of one height, under the labels of the columns."""
    scaled = [[p.resize((round(p.width * height / p.height), height), Image.LANCZOS) for p in row] for row in rows]
    widths = [max(row[i].width for row in scaled) for i in range(len(labels))]
    page = Image.new("RGB", (sum(widths) + gap * (len(widths) + 1), 24 + (height + gap) * len(rows)), "white")
    draw = ImageDraw.Draw(page)
    left = gap
    for column, label in enumerate(labels):
        draw.text((left, 6), label, fill="black")
        for line, row in enumerate(scaled):
            page.paste(row[column], (left, 24 + line * (height + gap)))
        left += widths[column] + gap
    return page


def sheet_parser(description):
    """The options of a script that makes a sheet: the program, photographs and styles."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=ROOT / "build/release/bin/impasto")
    parser.add_argument("--photographs", type=Path, required=True, help="a folder of pictures")
    parser.add_argument("--only", nargs="+", help="names of photographs, without their extension")
    parser.add_argument("--style", action="append", help="a file or sample:painting; may be repeated")
    return parser


def chosen_pairs(arguments):
    """Each photograph with each style."""
    return [(str(photograph), style) for photograph in sorted(arguments.photographs.iterdir())
            if photograph.suffix in (".png", ".jpg") and (not arguments.only or photograph.stem in arguments.only)
            for style in arguments.style or ["sample:painting"]]


def main():
    parser = sheet_parser(__doc__)
    parser.add_argument("--preset", action="append", required=True, help="NAME:OPTIONS; may be repeated")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--output", type=Path, default=ROOT / "docs/gallery")
    arguments = parser.parse_args()

    program = str(arguments.program)
    presets = [preset.partition(":")[::2] for preset in arguments.preset]
    arguments.output.mkdir(parents=True, exist_ok=True)
    rows = []
    for photograph, style in chosen_pairs(arguments):
        content, name = seen(program, photograph, arguments.size), Path(photograph).stem
        save_small(content, arguments.output / f"{name}.jpg")
        row = [content, seen(program, style, arguments.size)]
        for preset, options in presets:
            picture = stylized(program, photograph, style, arguments.size, shlex.split(options))
            stem = f"{name}_{Path(style.removeprefix('sample:')).stem}_{preset.replace(' ', '-')}"
            save_small(picture, arguments.output / f"{stem}.jpg")
            row.append(picture)
        rows.append(row)
    save_small(sheet(rows, ["content", "style", *(name for name, _ in presets)]), arguments.output / "sheet.jpg")


if __name__ == "__main__":
    main()
