#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How good is good? Presets side by side: same photographs, styles, weights and CPU seconds.

    benchmarks/looks.py --photographs FOLDER --style sample:painting --weights vgg16.h5 \\
        --judge stlpips_pytorch-0.0.2-py3-none-any.whl --cpu-seconds 60

The network must see pixels of deviation 1, as torchvision's do. A recipe's weights of losses are made for the size
of activations that its system's network has, so each gets the same network in that size:

    pixels      activations as large as if pixels were 0 to 255: the networks of Oxford, Caffe and Keras
    normalised  a mean activation of 1 at every layer of the photographs: Gatys' own network
    torch       as it is

Each preset takes as many iterations as fit into the seconds, by two short runs of it at the beginning: the
machine must be quiet for these, and may be busy afterwards. Its pictures are judged by a network that no
objective uses, the AlexNet of ST-LPIPS (Ghildyal and Liu, "Shift-tolerant perceptual similarity metric", 2022):

    style      mean over its five layers of |G - A|^2 / |A|^2, Gram matrices of the result and of the style
    content    ST-LPIPS between the result and the photograph
    variation  total variation of the result by that of the style: 1 is as rough as the style, more is noise

All are better when smaller, the variation down to 1. A preset is on the front where no other is at least as good
in all three. Prints a table in Markdown, and writes a sheet whose rows are photographs with a style and whose
columns are presets. Needs python3-torch, python3-h5py and python3-pil.
"""
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from statistics import mean

import h5py
import numpy
import torch
from torch.nn import functional

from peers.runs import cpu_seconds, execute
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "docs/gallery"))
from gallery import chosen_pairs, save_small, seen, sheet, sheet_parser  # noqa: E402

NORMALISED = ("gatys", "spst")
TORCH = ("trained", "pytorch-tutorial", "style-transfer-pytorch")
DEVIATION = 57.0  # of pixels, as a network sees them that was trained by torchvision
JUDGE = "stlpips_pytorch/weights/vST0.0/alex_shift_tolerant.pth"
PROBE = 24  # iterations of the shorter timed run; enough for every scale to have some


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


def mean_activations(network, pictures):
    """Of each convolution behind its ReLU, by name, over the pictures."""
    sums = {name: 0.0 for name in network if name.startswith("conv")}
    for picture in pictures:
        x = torch.from_numpy((numpy.asarray(picture, numpy.float32) - network.attrs["mean_pixel"])
                             / network.attrs["deviation_pixel"]).permute(2, 0, 1)[None]
        block = "conv1"
        for name in sums:
            if not name.startswith(block):
                x, block = functional.avg_pool2d(x, 2, ceil_mode=True), name.partition("_")[0]
            weight, bias = (torch.from_numpy(network[f"{name}/{part}"][...]) for part in ("weight", "bias"))
            x = functional.relu(functional.conv2d(x, weight.permute(0, 3, 1, 2), bias, padding=1))
            sums[name] += x.mean().item() / len(pictures)
    return sums


def resized_networks(path, pictures, folder):
    """The network's file for each preset: activations times a factor a layer, which ReLU and pooling let through."""
    with h5py.File(path, "r") as network:
        means = mean_activations(network, pictures)
    factors = {"pixels": dict.fromkeys(means, DEVIATION), "normalised": {name: 1 / size for name, size in means.items()}}
    files = {}
    for kind, by_layer in factors.items():
        files[kind] = Path(shutil.copy(path, folder / f"{kind}.h5"))
        with h5py.File(files[kind], "r+") as network:
            before = 1.0
            for name, factor in by_layer.items():
                network[f"{name}/weight"][...] *= factor / before
                network[f"{name}/bias"][...] *= factor
                before = factor
    return lambda preset: path if preset in TORCH else files["normalised" if preset in NORMALISED else "pixels"]


class Program:
    def __init__(self, arguments, network_of):
        self.path = str(arguments.program)
        self.network_of = network_of
        self.options = ["--size", str(arguments.size),
                        *(["--precision", arguments.precision] if arguments.precision else [])]

    def presets(self):
        listed = re.search(r"--preset ((?:\S+\|\s+)*\S+)", execute([self.path, "stylize", "--help"]))[1]
        return "".join(listed.split()).split("|")

    def stylized(self, photograph, style, preset, iterations):
        """The result, or None where the loss became infinite; and the CPU seconds that the run took."""
        with tempfile.TemporaryDirectory() as folder:
            result = Path(folder) / "result.png"
            before = cpu_seconds()
            run = subprocess.run([self.path, "stylize", photograph, style, "-o", result, "--preset", preset,
                                  "--iterations", str(iterations), "--json", "--weights", self.network_of(preset),
                                  *self.options],
                                 capture_output=True, text=True)
            seconds = cpu_seconds() - before
            if run.returncode not in (0, 7):  # 7: the loss rose, or became infinite
                raise SystemExit(run.stderr)
            return Image.open(result).convert("RGB") if result.exists() else None, seconds

    def iterations_in(self, seconds, pair, preset):
        """How many iterations fit into CPU seconds, targets and files included."""
        short, long = (self.stylized(*pair, preset, PROBE * times)[1] for times in (1, 2))
        each = (long - short) / PROBE
        return max(1, round((seconds - short) / each) + PROBE)


def front(scores):
    """The presets that no other is at least as good as in all of style, content and variation above 1."""
    costs = {preset: (style, content, max(1, variation)) for preset, (style, content, variation) in scores.items()}
    return {preset for preset, cost in costs.items()
            if not any(other != cost and all(o <= c for o, c in zip(other, cost)) for other in costs.values())}


def compare(program, judge, pictures, arguments):
    presets = arguments.preset or [p for p in program.presets() if p != "impasto"]  # that is for random weights
    pairs = list(pictures)
    rows = {pair: list(both) for pair, both in pictures.items()}
    iterations = {preset: program.iterations_in(arguments.cpu_seconds, pairs[0], preset) for preset in presets}
    print(f"Iterations that fit: {iterations}", file=sys.stderr, flush=True)
    scores = {}
    for preset in presets:
        judged = []
        for pair, (photograph, style) in pictures.items():
            picture, _ = program.stylized(*pair, preset, iterations[preset])
            rows[pair].append(picture or Image.new("RGB", photograph.size))
            if picture is not None:
                photograph = photograph.resize(picture.size, Image.LANCZOS)
                judged.append((judge.style(picture, style), judge.content(picture, photograph),
                               variation(picture) / variation(style)))
        if len(judged) == len(pairs):
            scores[preset] = tuple(mean(column) for column in zip(*judged))
        print(f"{preset}: {scores.get(preset, 'diverged')}", file=sys.stderr, flush=True)
    best = front(scores)
    print("| preset | iterations | style | content | variation | front |\n|---|--:|--:|--:|--:|---|")
    for preset in presets:
        means = " | ".join(f"{value:.3f}" for value in scores.get(preset, ())) or "diverged | – | –"
        print(f"| `{preset}` | {iterations[preset]} | {means} | {'yes' if preset in best else ''} |", flush=True)
    save_small(sheet(list(rows.values()), ["content", "style", *presets], height=100), arguments.sheet)


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

    judge = Judge(arguments.judge)
    pairs = chosen_pairs(arguments)
    pictures = {pair: [seen(str(arguments.program), name, arguments.size) for name in pair] for pair in pairs}
    with tempfile.TemporaryDirectory() as folder:
        networks = resized_networks(arguments.weights, [photograph for photograph, _ in pictures.values()], Path(folder))
        compare(Program(arguments, networks), judge, pictures, arguments)


if __name__ == "__main__":
    main()
