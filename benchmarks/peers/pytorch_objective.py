# SPDX-License-Identifier: MIT
"""The mathematics of the PyTorch peer: the preset `coursera`, written from its formulas.

A batch is N pictures that share one style; every picture has a loss of its own, and the gradient of
their sum is each one's gradient.
"""

import math
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, ContextManager, Dict, Iterator, Tuple

import h5py
import torch
from torch import Tensor
from torch.nn import functional

# VGG-19 (Simonyan & Zisserman 2015, table 1, column E) up to conv5_1: convolutions in each block.
BLOCKS = (2, 2, 4, 4, 1)
CONTENT_LAYER = "conv4_2"
STYLE_LAYERS = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")
STYLE_LAYER_WEIGHT = 0.2
CONTENT_WEIGHT = 10.0
STYLE_WEIGHT = 40.0
LEARNING_RATE = 2.0

# fp32 and tf32 say how a GPU multiplies floats, default leaves that to PyTorch; bf16 stores the
# network in it; autocast lets PyTorch decide.
PRECISIONS = ("fp64", "fp32", "tf32", "default", "bf16", "autocast")


@dataclass(frozen=True)
class Options:
    """How PyTorch is to compute."""

    device: str  # "cpu" or "cuda"
    threads: int
    channels_last: bool
    precision: str  # one of PRECISIONS
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
        return torch.autocast(self.device, dtype=torch.bfloat16)


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
        self.parameters: Dict[str, Tuple[Tensor, Tensor]] = {}
        with h5py.File(path, "r") as file:
            # As floats: 3e-6 of a grey value more, and a ReLU of the third picture falls the other way.
            mean = torch.from_numpy(file.attrs["mean_pixel"]).to(options.device, options.pixel_type)
            self.mean = mean.view(1, 3, 1, 1)
            for name in layer_names():
                if name.startswith("conv"):
                    weight = torch.from_numpy(file[name]["weight"][()]).permute(0, 3, 1, 2)
                    bias = torch.from_numpy(file[name]["bias"][()])
                    weight = weight.to(options.device, options.network_type)
                    weight = weight.contiguous(memory_format=options.layout)
                    self.parameters[name] = weight, bias.to(options.device, options.network_type)

    def features(self, pixels: Tensor, wanted: Tuple[str, ...]) -> Dict[str, Tensor]:
        """The activations of the wanted layers, ReLU included, for pixels (N,3,H,W) in [0,255]."""
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
    """F^T F / P of each picture, at least in float whatever the features are: sums over P need it."""
    batch, channels, height, width = features.shape
    rows = features.permute(0, 2, 3, 1).reshape(batch, -1, channels)  # a view in channels-last
    with torch.autocast(features.device.type, enabled=False):
        rows = rows.to(sum_type)
        return rows.transpose(1, 2).bmm(rows) / (height * width)


def content_term(features: Tensor, target: Tensor) -> Tensor:
    _, channels, height, width = features.shape
    difference = features.to(target.dtype) - target
    return difference.square().sum((1, 2, 3)) / (4.0 * channels * height * width)


def style_term(matrix: Tensor, target: Tensor) -> Tensor:
    channels = matrix.shape[-1]
    return (matrix - target).square().sum((1, 2)) / (4.0 * channels * channels)


class Objective:
    """J = 10 content + 40 style of every picture against one content and one style picture."""

    def __init__(self, network: Network, content: Tensor, style: Tensor) -> None:
        self.network = network
        self.sum_type = network.options.pixel_type
        with torch.no_grad(), network.options.mixed():
            target = network.features(content, (CONTENT_LAYER,))[CONTENT_LAYER]
            self.content = target.to(self.sum_type)
            styles = network.features(style, STYLE_LAYERS)
            self.styles = {name: gram(styles[name], self.sum_type) for name in STYLE_LAYERS}

    def __call__(self, pixels: Tensor) -> Tuple[Tensor, Tensor]:
        """The sum of the pictures' losses, and the terms of each: (1 + style layers, N)."""
        with self.network.options.mixed():
            features = self.network.features(pixels, STYLE_LAYERS + (CONTENT_LAYER,))
            content = content_term(features[CONTENT_LAYER], self.content)
            styles = [style_term(gram(features[name], self.sum_type), self.styles[name]) for name in STYLE_LAYERS]
        style = STYLE_LAYER_WEIGHT * torch.stack(styles).sum()
        loss = CONTENT_WEIGHT * content.sum() + STYLE_WEIGHT * style
        return loss, torch.stack([content, *styles])


def adam_update(pixels: Tensor, m: Tensor, v: Tensor, gradient: Tensor, rate: Any) -> None:
    """TensorFlow's form: epsilon is added to the uncorrected root of the second moment.

    `rate` is a number, or a tensor of one: a compiler would compile again for each new number.
    """
    beta1, beta2, epsilon = 0.9, 0.999, 1e-8
    m.mul_(beta1).add_(gradient, alpha=1 - beta1)
    v.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
    pixels.addcdiv_(m * -rate, v.sqrt().add_(epsilon))


def adam_rate(step: int) -> float:
    """The step's length with both bias corrections; `step` counts from 1."""
    return LEARNING_RATE * math.sqrt(1 - 0.999**step) / (1 - 0.9**step)


def first_losses(terms: Tensor) -> Dict[str, Any]:
    """The first picture's terms, named as in the log of `impasto stylize`."""
    content, *styles = terms.detach()[:, 0].double().tolist()
    style = sum(STYLE_LAYER_WEIGHT * term for term in styles)
    return {
        "loss": CONTENT_WEIGHT * content + STYLE_WEIGHT * style,
        "content": content,
        "style": style,
        "content_layers": {CONTENT_LAYER: content},
        "style_layers": dict(zip(STYLE_LAYERS, styles)),
    }
