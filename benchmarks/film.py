#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How still is a film? Frames by `impasto frames` and frames that are stylized each by itself, in numbers.

    benchmarks/film.py --impasto build/release/bin/impasto --style sample:painting --size 256 --strip strip.png

Two films are drawn whose motion is known: a pan over a still texture, and a textured ball over another one that
stays. Of each, in grey levels, the root mean square of what differs between a frame and the last one:

    warping   moved along the known motion, where both show the same
    flicker   where nothing moves, at one place (of the second film)

and the ratio to frames by themselves. `--flow known` gives the program the motion, `estimated` has it found.
With `--photograph` the textures are cut out of a picture. Prints a table in Markdown, and draws a strip: a row
each of the film, of its frames by themselves and of `frames`, and what differs from the last frame below.
Needs python3-numpy and python3-pil.
"""
import tempfile
from collections import namedtuple
from pathlib import Path

import numpy
from PIL import Image

import context
from peers.runs import execute

STEP = 3  # pixels that things move by from frame to frame


def waves(height, width, seed):
    """Noise of several octaves in three colours, 0 to 255."""
    random = numpy.random.default_rng(seed)
    texture = numpy.zeros((height, width, 3))
    for octave in (64, 32, 16, 8, 4):
        grid = random.uniform(-1, 1, (height // octave + 2, width // octave + 2, 3))
        channels = [Image.fromarray(grid[:, :, c].astype(numpy.float32), mode="F").resize(
            (grid.shape[1] * octave, grid.shape[0] * octave), Image.BICUBIC) for c in range(3)]
        texture += numpy.stack([numpy.asarray(c)[:height, :width] for c in channels], axis=2) * octave**0.5
    texture -= texture.min()
    return 255 * texture / texture.max()


def from_photograph(path, height, width):
    picture = Image.open(path).convert("RGB")
    scale = max(height / picture.height, width / picture.width)
    picture = picture.resize((round(picture.width * scale) + 1, round(picture.height * scale) + 1), Image.LANCZOS)
    return numpy.asarray(picture, numpy.float64)[:height, :width]


# Pictures (H,W,3); functions of two of them: where each pixel of the one was in the other, and whether it showed there.
Film = namedtuple("Film", "name pictures motion shown")


def pan(texture, height, width, count):
    pictures = [texture[:height, STEP * i : STEP * i + width] for i in range(count)]

    def motion(now, then):
        return numpy.broadcast_to(numpy.array([STEP * (now - then), 0.0]), (height, width, 2))

    def shown(now, then):
        x = numpy.arange(width) + STEP * (now - then)
        return numpy.broadcast_to((x >= 0) & (x < width), (height, width))

    return Film("pan", pictures, motion, shown)


def ball(texture, height, width, count):
    radius = height // 5
    y, x = numpy.mgrid[:height, :width]
    covers = [(x - radius - 8 - STEP * i) ** 2 + (y - height // 2) ** 2 < radius**2 for i in range(count)]
    over = 255 - texture[::-1, ::-1]
    pictures = []
    for i, cover in enumerate(covers):
        moved = numpy.roll(over[:height, :width], STEP * i, axis=1)
        pictures.append(numpy.where(cover[:, :, None], moved, texture[:height, :width]))

    def motion(now, then):
        return numpy.where(covers[now][:, :, None], [-STEP * (now - then), 0.0], 0.0)

    def shown(now, then):
        return covers[now] | ~covers[then]

    return Film("ball", pictures, motion, shown)


def write_flow(path, flow):
    height, width, _ = flow.shape
    Path(path).write_bytes(b"PIEH" + numpy.array([width, height], "<i4").tobytes() + flow.astype("<f4").tobytes())


def write_film(film, folder):
    (folder / "in").mkdir(parents=True)
    (folder / "flow").mkdir()
    for i, picture in enumerate(film.pictures):
        Image.fromarray(numpy.clip(numpy.rint(picture), 0, 255).astype(numpy.uint8)).save(folder / f"in/{i + 1:03}.png")
    count = len(film.pictures)
    for j in (1, 2, 4):
        for i in range(count - j):
            write_flow(folder / f"flow/backward_{i + j + 1}_{i + 1}.flo", film.motion(i + j, i))
            write_flow(folder / f"flow/forward_{i + 1}_{i + j + 1}.flo", film.motion(i, i + j))


def loaded(paths):
    return [numpy.asarray(Image.open(path).convert("RGB"), numpy.float64) for path in paths]


def differences(film, results):
    """Of each frame from the last one, moved along; no number where that did not show it."""
    found = []
    for i in range(1, len(results)):
        height, width, _ = results[i].shape
        y, x = numpy.mgrid[:height, :width]
        motion = film.motion(i, i - 1).astype(int)
        x = numpy.clip(x + motion[:, :, 0], 0, width - 1)
        y = numpy.clip(y + motion[:, :, 1], 0, height - 1)
        found.append(numpy.where(film.shown(i, i - 1)[:, :, None], results[i] - results[i - 1][y, x], numpy.nan))
    return found


def warping(film, results):
    return numpy.sqrt(numpy.nanmean([numpy.nanmean(d**2) for d in differences(film, results)]))


def flicker(film, results):
    squares = []
    for i in range(1, len(results)):
        still = numpy.all(film.pictures[i] == film.pictures[i - 1], axis=2)
        squares.append(numpy.mean((results[i] - results[i - 1])[still] ** 2))
    return numpy.sqrt(numpy.mean(squares))


def run(options, *arguments):
    weights = ["--weights", options.weights] if options.weights else []
    execute([options.impasto, *map(str, arguments), "--size", str(options.size), "--quiet", *weights, *options.more])


def by_themselves(options, folder):
    (folder / "alone").mkdir()
    names = sorted(path.name for path in (folder / "in").iterdir())
    for name in names:
        run(options, "stylize", folder / "in" / name, options.style, "-o", folder / "alone" / name)
    return loaded(folder / "alone" / name for name in names)


def by_frames(options, folder):
    flow = ["--flow", folder / "flow"] if options.flow == "known" else []
    run(options, "frames", folder / "in", folder / "out", "--style", options.style, *flow, *options.frames.split())
    return loaded(sorted((folder / "out").glob("*.png")))


def strip_of(film, rows):
    """Pictures side by side, and below them ten times what differs from the last one."""
    height, width, _ = film.pictures[0].shape
    gap = numpy.full((height, 6, 3), 255.0)
    lines = [film.pictures]
    for results in rows:
        lines.append(results)
        grey = numpy.full((height, width, 3), 128.0)
        lines.append([grey] + [128 + 4 * numpy.nan_to_num(d) for d in differences(film, results)])
    drawn = [numpy.concatenate([part for picture in line[:6] for part in (picture, gap)], axis=1) for line in lines]
    return numpy.concatenate([part for line in drawn for part in (line, numpy.full((6, line.shape[1], 3), 255.0))])


def main():
    parser = context.parser(__doc__)
    parser.add_argument("--impasto", default="build/release/bin/impasto")
    parser.add_argument("--weights")
    parser.add_argument("--style", default="sample:painting")
    parser.add_argument("--photograph")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--count", type=int, default=5, help="frames of each film")
    parser.add_argument("--flow", choices=("known", "estimated"), default="estimated")
    parser.add_argument("--frames", default="", help="options of impasto frames alone, in one text")
    parser.add_argument("--strip", help="a picture to draw; each film's name is put before it")
    parser.add_argument("more", nargs="*", help="options of both, after --")
    options = parser.parse_args()
    width, height = options.size, options.size * 3 // 4
    wide = width + STEP * options.count
    texture = from_photograph(options.photograph, height, wide) if options.photograph else waves(height, wide, 1)
    print("| film | measure | by themselves | frames | ratio |\n|---|---|--:|--:|--:|")
    for film in (pan(texture, height, width, options.count), ball(texture, height, width, options.count)):
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / film.name
            write_film(film, folder)
            alone, held = by_themselves(options, folder), by_frames(options, folder)
        measures = {"warping": warping} if film.name == "pan" else {"warping": warping, "flicker": flicker}
        for name, measure in measures.items():
            one, two = measure(film, alone), measure(film, held)
            print(f"| {film.name} | {name} | {one:.2f} | {two:.2f} | {two / one:.3f} |", flush=True)
        if options.strip:
            path = Path(options.strip)
            drawn = numpy.clip(strip_of(film, [alone, held]), 0, 255).astype(numpy.uint8)
            Image.fromarray(drawn).save(path.with_name(f"{film.name}_{path.name}"))


if __name__ == "__main__":
    main()
