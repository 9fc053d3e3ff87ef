#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How good is good? Presets side by side: same photographs, styles, weights and CPU seconds.

    benchmarks/looks.py --photographs FOLDER --style sample:painting --weights vgg16.h5 \\
        --judge stlpips_pytorch-0.0.2-py3-none-any.whl --cpu-seconds 60

Each preset takes as many iterations as fit into the seconds. Its pictures are judged by a network that no
objective uses, the AlexNet of ST-LPIPS (Ghildyal and Liu, "Shift-tolerant perceptual similarity metric", 2022):

    style      mean over its five layers of |G - A|^2 / |A|^2, Gram matrices of the result and of the style
    content    ST-LPIPS between the result and the photograph
    variation  total variation of the result by that of the style: 1 is as rough as the style, more is noise

All are better when smaller, the variation down to 1. Prints a table in Markdown, and writes a sheet whose rows
are photographs with a style and whose columns are presets. Needs python3-torch and python3-pil.
"""
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from statistics import mean

import numpy
import torch
from torch.nn import functional

from peers.runs import cpu_seconds, execute
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "docs/gallery"))
from gallery import chosen_pairs, save_small, seen, sheet, sheet_parser  # noqa: E402

JUDGE = "stlpips_pytorch/weights/vST0.0/alex_shift_tolerant.pth"
PROBE = 24  # iterations that are timed; enough for every scale to have some


class Judge:
    """The shift-tolerant AlexNet and its perceptual distance, as published in stlpips_pytorch 0.0.2."""

    def __init__(self, wheel):
        with zipfile.ZipFile(wheel) as archive, tempfile.NamedTemporaryFile() as file:
            file.write(archive.read(JUDGE))
            file.flush()
            self.weights = torch.load(file.name, map_location="cpu")

    def _convolve(self, name, x, padding):
        return functional.conv2d(x, self.weights[f"net.{name}.weight"], self.weights[f"net.{name}.bias"],
                                 padding=padding)

    def _blur(self, name, x):
        x = functional.pad(x, (2, 2, 2, 2), mode="reflect")
        return functional.conv2d(x, self.weights[f"net.{name}.filt"], stride=2, groups=x.shape[1])

    def layers(self, picture):
        """The five activations that the metric looks at."""
        x = torch.from_numpy(numpy.asarray(picture, numpy.float32) / 127.5 - 1).permute(2, 0, 1)[None]
        x = (x - self.weights["scaling_layer.shift"]) / self.weights["scaling_layer.scale"]
        x = functional.relu(self._blur("slice1.1", self._convolve("slice1.0", x, 2)))
        layers = [x]
        for pool, convolution, padding in (("slice2.4", "slice2.5", 2), ("slice3.8", "slice3.9", 1),
                                           (None, "slice4.11", 1), (None, "slice5.13", 1)):
            if pool:
                x = self._blur(pool, functional.max_pool2d(x, 3, stride=1))
            x = functional.relu(self._convolve(convolution, x, padding))
            layers.append(x)
        return layers

    def content(self, picture, photograph):
        distance = 0
        for i, (a, b) in enumerate(zip(self.layers(picture), self.layers(photograph))):
            unit_a, unit_b = (x / (x.square().sum(1, keepdim=True).sqrt() + 1e-10) for x in (a, b))
            difference = (unit_a - unit_b).square()
            distance += functional.conv2d(difference, self.weights[f"lin{i}.model.1.weight"]).mean().item()
        return distance

    def style(self, picture, style):
        def gram(x):
            flat = x[0].flatten(1)
            return flat @ flat.T / flat.shape[1]

        pairs = [(gram(a), gram(b)) for a, b in zip(self.layers(picture), self.layers(style))]
        return mean(((g - a).square().sum() / a.square().sum()).item() for g, a in pairs)


def variation(picture):
    pixels = numpy.asarray(picture, numpy.float32)
    return float(numpy.abs(numpy.diff(pixels, axis=0)).mean() + numpy.abs(numpy.diff(pixels, axis=1)).mean())


class Program:
    def __init__(self, arguments):
        self.path = str(arguments.program)
        self.options = ["--size", str(arguments.size), "--weights", str(arguments.weights),
                        *(["--precision", arguments.precision] if arguments.precision else [])]

    def presets(self):
        return re.search(r"--preset (\S+)", execute([self.path, "stylize", "--help"]))[1].split("|")

    def stylized(self, photograph, style, preset, iterations):
        """The result, or None where the loss became infinite; and the CPU seconds that the iterations took."""
        with tempfile.TemporaryDirectory() as folder:
            result = Path(folder) / "result.png"
            before = cpu_seconds()
            run = subprocess.run([self.path, "stylize", photograph, style, "-o", result, "--preset", preset,
                                  "--iterations", str(iterations), "--json", *self.options],
                                 capture_output=True, text=True)
            seconds = cpu_seconds() - before
            if run.returncode not in (0, 7):  # 7: the loss rose, or became infinite
                raise SystemExit(run.stderr)
            return Image.open(result).convert("RGB") if result.exists() else None, seconds


def main():
    parser = sheet_parser(__doc__)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--judge", type=Path, required=True, help="the wheel of stlpips_pytorch 0.0.2")
    parser.add_argument("--preset", action="append", help="may be repeated; all by default")
    parser.add_argument("--cpu-seconds", type=float, default=60, help="for each picture")
    parser.add_argument("--size", type=int, default=384)
    parser.add_argument("--precision")
    parser.add_argument("--sheet", type=Path, default=ROOT / "docs/gallery/looks.jpg")
    arguments = parser.parse_args()

    program, judge = Program(arguments), Judge(arguments.judge)
    presets = arguments.preset or [p for p in program.presets() if p != "impasto"]  # that is for random weights
    pairs = chosen_pairs(arguments)
    pictures = {pair: [seen(program.path, name, arguments.size) for name in pair] for pair in pairs}
    rows = {pair: list(both) for pair, both in pictures.items()}
    print("| preset | iterations | CPU s | style | content | variation |\n|---|--:|--:|--:|--:|--:|")
    for preset in presets:
        scores, taken, iterations = [], [], None
        for pair, (photograph, style) in pictures.items():
            if iterations is None:
                start = program.stylized(*pair, preset, 1)[1]
                each = (program.stylized(*pair, preset, PROBE)[1] - start) / (PROBE - 1)
                iterations = max(1, round((arguments.cpu_seconds - start) / each))
            picture, seconds = program.stylized(*pair, preset, iterations)
            taken.append(seconds)
            rows[pair].append(picture or Image.new("RGB", photograph.size))
            if picture is None:
                continue
            photograph = photograph.resize(picture.size, Image.LANCZOS)
            scores.append((judge.style(picture, style), judge.content(picture, photograph),
                           variation(picture) / variation(style)))
        means = [f"{mean(column):.3f}" for column in zip(*scores)] if len(scores) == len(pairs) else ["diverged"] * 3
        print(f"| `{preset}` | {iterations} | {mean(taken):.0f} | {' | '.join(means)} |", flush=True)
    save_small(sheet(list(rows.values()), ["content", "style", *presets], height=200), arguments.sheet)


if __name__ == "__main__":
    main()
