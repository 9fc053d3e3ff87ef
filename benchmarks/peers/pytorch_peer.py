#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The preset `coursera` in PyTorch: an implementation independent of Impasto, to compare with.

It reads Impasto's weight file and two pictures at their final size, optimises, and prints one JSON
object: what ran, and for k = 0, 1, ... the losses of the picture after k steps together with the
seconds since the first step began, named as in the log of `impasto stylize`. Nothing is resized
here, so that both programs see the same pixels.

It is written to be fast as well as right: parameters are converted and laid out once, ReLU works in
place, nothing that needs no gradient has one, and the losses of an iteration are fetched together.
"""

import argparse
import json
import math
import platform
import re
import resource
import time
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Callable, ContextManager, Dict, Iterator, List, Tuple

import h5py
import numpy
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

# VGG-19 (Simonyan & Zisserman 2015, table 1, column E) up to conv5_1: convolutions in each block.
BLOCKS = (2, 2, 4, 4, 1)
MEAN = (123.68, 116.779, 103.939)  # red, green, blue
CONTENT_LAYER = "conv4_2"
STYLE_LAYERS = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")
STYLE_LAYER_WEIGHT = 0.2
CONTENT_WEIGHT = 10.0
STYLE_WEIGHT = 40.0
LEARNING_RATE = 2.0


@dataclass
class Options:
    """How PyTorch is to compute."""

    threads: int
    channels_last: bool
    precision: str  # fp64, fp32, bf16 (the network in bf16) or autocast (PyTorch decides)
    compiled: bool

    @property
    def layout(self) -> torch.memory_format:
        return torch.channels_last if self.channels_last else torch.contiguous_format

    @property
    def pixel_type(self) -> torch.dtype:
        """Of pixels, Gram matrices, losses and Adam's state."""
        return torch.float64 if self.precision == "fp64" else torch.float32

    @property
    def network_type(self) -> torch.dtype:
        return torch.bfloat16 if self.precision == "bf16" else self.pixel_type

    def mixed(self) -> ContextManager[Any]:
        if self.precision != "autocast":
            return nullcontext()
        return torch.autocast("cpu", dtype=torch.bfloat16)


def layer_names() -> Iterator[str]:
    for block, convolutions in enumerate(BLOCKS, start=1):
        if block > 1:
            yield f"pool{block - 1}"
        for number in range(1, convolutions + 1):
            yield f"conv{block}_{number}"


class Network:
    """VGG-19 up to conv5_1 with average pooling that rounds up."""

    def __init__(self, path: str, options: Options) -> None:
        self.options = options
        self.mean = torch.tensor(MEAN, dtype=options.pixel_type).view(1, 3, 1, 1)
        self.parameters: Dict[str, Tuple[Tensor, Tensor]] = {}
        with h5py.File(path, "r") as file:
            for name in layer_names():
                if name.startswith("conv"):
                    weight = torch.from_numpy(file[name]["weight"][()]).permute(0, 3, 1, 2)
                    bias = torch.from_numpy(file[name]["bias"][()])
                    self.parameters[name] = (
                        weight.to(options.network_type).contiguous(memory_format=options.layout),
                        bias.to(options.network_type),
                    )

    def features(self, pixels: Tensor, wanted: Tuple[str, ...]) -> Dict[str, Tensor]:
        """The activations of the wanted layers, ReLU included, for pixels (1,3,H,W) in [0,255]."""
        found: Dict[str, Tensor] = {}
        x = (pixels - self.mean).to(self.options.network_type)
        for name in layer_names():
            if name.startswith("pool"):
                x = functional.avg_pool2d(x, 2, 2, ceil_mode=True, count_include_pad=False)
            else:
                x = torch.relu_(functional.conv2d(x, *self.parameters[name], padding=1))
            if name in wanted:
                found[name] = x
                if len(found) == len(wanted):
                    break
        return found


def gram(features: Tensor, sum_type: torch.dtype) -> Tensor:
    """F^T F / P for one image, at least in float whatever the features are: sums over P need it."""
    _, channels, height, width = features.shape
    rows = features.permute(0, 2, 3, 1).reshape(-1, channels)  # a view in channels-last layout
    with torch.autocast("cpu", enabled=False):
        rows = rows.to(sum_type)
        return rows.t().mm(rows) / (height * width)


def content_term(features: Tensor, target: Tensor) -> Tensor:
    _, channels, height, width = features.shape
    difference = features.to(target.dtype) - target
    return difference.square().sum() / (4.0 * channels * height * width)


def style_term(matrix: Tensor, target: Tensor) -> Tensor:
    channels = matrix.shape[0]
    return (matrix - target).square().sum() / (4.0 * channels * channels)


class Objective:
    """J = 10 content + 40 style against one content and one style picture."""

    def __init__(self, network: Network, content: Tensor, style: Tensor) -> None:
        self.network = network
        self.sum_type = network.options.pixel_type
        with torch.no_grad(), network.options.mixed():
            target = network.features(content, (CONTENT_LAYER,))[CONTENT_LAYER]
            self.content = target.to(self.sum_type)
            styles = network.features(style, STYLE_LAYERS)
            self.styles = {name: gram(styles[name], self.sum_type) for name in STYLE_LAYERS}

    def __call__(self, pixels: Tensor) -> Tuple[Tensor, Tensor]:
        """The loss, and as one tensor the content term and the style layers' terms."""
        with self.network.options.mixed():
            features = self.network.features(pixels, STYLE_LAYERS + (CONTENT_LAYER,))
            content = content_term(features[CONTENT_LAYER], self.content)
            styles = [
                style_term(gram(features[name], self.sum_type), self.styles[name])
                for name in STYLE_LAYERS
            ]
        style = STYLE_LAYER_WEIGHT * torch.stack(styles).sum()
        return CONTENT_WEIGHT * content + STYLE_WEIGHT * style, torch.stack([content, *styles])


class Adam:
    """TensorFlow's form: epsilon is added to the uncorrected root of the second moment."""

    def __init__(self, pixels: Tensor) -> None:
        self.m = torch.zeros_like(pixels)
        self.v = torch.zeros_like(pixels)
        self.steps = 0

    def step(self, pixels: Tensor, gradient: Tensor) -> None:
        beta1, beta2, epsilon = 0.9, 0.999, 1e-8
        self.steps += 1
        self.m.mul_(beta1).add_(gradient, alpha=1 - beta1)
        self.v.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        rate = LEARNING_RATE * math.sqrt(1 - beta2**self.steps) / (1 - beta1**self.steps)
        pixels.addcdiv_(self.m, self.v.sqrt().add_(epsilon), value=-rate)


def describe_losses(terms: Tensor) -> Dict[str, Any]:
    content, *styles = terms.detach().double().tolist()
    style = sum(STYLE_LAYER_WEIGHT * term for term in styles)
    return {
        "loss": CONTENT_WEIGHT * content + STYLE_WEIGHT * style,
        "content": content,
        "style": style,
        "content_layers": {CONTENT_LAYER: content},
        "style_layers": dict(zip(STYLE_LAYERS, styles)),
    }


def optimise(
    objective: Callable[[Tensor], Tuple[Tensor, Tensor]], pixels: Tensor, iterations: int
) -> List[Dict[str, Any]]:
    """The losses of the picture before each step, and of the last one."""
    adam = Adam(pixels)
    records: List[Dict[str, Any]] = []
    start = time.perf_counter()
    for iteration in range(iterations + 1):
        pixels.requires_grad_(iteration < iterations)
        loss, terms = objective(pixels)
        if iteration < iterations:
            (gradient,) = torch.autograd.grad(loss, pixels)
            with torch.no_grad():
                adam.step(pixels, gradient)
        losses = describe_losses(terms)
        losses.update(iteration=iteration, seconds=time.perf_counter() - start)
        records.append(losses)
    return records


def as_pixels(values: numpy.ndarray, options: Options) -> Tensor:
    """(H,W,3) as PyTorch computes with it: (1,3,H,W)."""
    pixels = torch.from_numpy(values).permute(2, 0, 1)[None]
    return pixels.to(options.pixel_type).contiguous(memory_format=options.layout)


def read_picture(path: str, options: Options) -> Tensor:
    with Image.open(path) as image:
        return as_pixels(numpy.asarray(image.convert("RGB"), dtype=numpy.float32), options)


def read_floats(path: str, like: Tensor, options: Options) -> Tensor:
    """A raw file of 32-bit floats, (H,W,3), with the size of another picture."""
    _, channels, height, width = like.shape
    values = numpy.fromfile(path, dtype="<f4").reshape(height, width, channels)
    return as_pixels(values, options)


def loaded_libraries() -> List[str]:
    """The linear algebra and thread libraries in this process: their choice decides the speed."""
    with open("/proc/self/maps", encoding="utf-8") as file:
        paths = {line.split()[-1] for line in file if "/" in line}
    pattern = re.compile(r"/lib[^/]*(blas|mkl|dnnl|gomp|iomp|omp5)[^/]*\.so")
    return sorted(path for path in paths if pattern.search(path))


def one_line(text: str, start: str) -> str:
    return next((line.strip(" -") for line in text.splitlines() if start in line), "")


def describe_run(options: Options) -> Dict[str, Any]:
    build = torch.__config__.show()
    return {
        "torch": torch.__version__,
        "python": platform.python_version(),
        "onednn": one_line(build, "MKL-DNN"),
        "cpu_capability": one_line(build, "CPU capability"),
        "libraries": loaded_libraries(),
        "threads": options.threads,
        "channels_last": options.channels_last,
        "precision": options.precision,
        "compiled": options.compiled,
    }


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", required=True, help="Impasto's weight file")
    parser.add_argument("--content", required=True, help="a picture at its final size")
    parser.add_argument("--style", required=True, help="a picture at its final size")
    parser.add_argument("--initial", help="raw 32-bit floats (H,W,3); otherwise the content picture")
    parser.add_argument("--iterations", type=int, default=10)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--precision", choices=("fp64", "fp32", "bf16", "autocast"), default="fp32")
    parser.add_argument("--compile", action="store_true", help="torch.compile (PyTorch 2)")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    options = Options(
        arguments.threads, arguments.channels_last, arguments.precision, arguments.compile
    )
    torch.set_num_threads(options.threads)
    content = read_picture(arguments.content, options)
    style = read_picture(arguments.style, options)
    if arguments.initial:
        pixels = read_floats(arguments.initial, content, options)
    else:
        pixels = content.clone(memory_format=torch.preserve_format)
    objective = Objective(Network(arguments.weights, options), content, style)
    compute = torch.compile(objective) if options.compiled else objective
    result = describe_run(options)
    result["iterations"] = optimise(compute, pixels, arguments.iterations)
    result["peak_memory_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps(result))


if __name__ == "__main__":
    main()
