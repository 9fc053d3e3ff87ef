#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The preset `coursera` in PyTorch: an implementation independent of Impasto, to compare with.

It reads Impasto's weight file and two pictures at their final size, optimises, and prints one JSON
object: what ran, and for k = 0, 1, ... the losses of the picture after k steps together with the
seconds since the first step began, named as in the log of `impasto stylize`. Nothing is resized
here, so that both programs see the same pixels. A batch is so many copies of the content picture,
and the losses are those of the first.

Then, for each line on stdin, a number N, it does N more steps without looking at the losses and
prints {"seconds": ...} of one of them, by CUDA's events on a GPU. It ends with stdin.

It is written to be fast as well as right: parameters are converted and laid out once, ReLU works in
place, nothing that needs no gradient has one, and the losses of an iteration are fetched together.
"""

import argparse
import json
import platform
import resource
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Union

import numpy
import torch
from PIL import Image
from torch import Tensor

from pytorch_objective import PRECISIONS, Network, Objective, Options, adam_rate, adam_update, first_losses


class Optimisation:
    """The pictures on their way, and Adam's state."""

    def __init__(self, objective: Objective, pixels: Tensor, options: Options) -> None:
        self.pixels = pixels
        self.m = torch.zeros_like(pixels)
        self.v = torch.zeros_like(pixels)
        self.steps = 0
        self.objective: Any = objective
        self.update: Any = adam_update
        self.as_rate: Callable[[float], Any] = float
        if options.compiled:
            # CUDA graphs are part of this mode where there is a GPU.
            self.objective = torch.compile(objective, mode="max-autotune")
            self.update = torch.compile(adam_update, mode="max-autotune-no-cudagraphs")
            self.as_rate = torch.tensor

    def terms(self) -> Tensor:
        """The terms of the present pictures, computed as in a step: nothing is compiled for them."""
        return self.objective(self.pixels.requires_grad_())[1]

    def step(self) -> Tensor:
        """One iteration. Returns the terms before it."""
        loss, terms = self.objective(self.pixels.requires_grad_())
        (gradient,) = torch.autograd.grad(loss, self.pixels)
        self.steps += 1
        with torch.no_grad():
            rate = self.as_rate(adam_rate(self.steps))
            self.update(self.pixels, self.m, self.v, gradient, rate)
        return terms


def optimise(optimisation: Optimisation, iterations: int) -> List[Dict[str, Any]]:
    """The losses of the first picture before each step, and after the last."""
    records: List[Dict[str, Any]] = []
    start = time.perf_counter()
    for iteration in range(iterations + 1):
        terms = optimisation.step() if iteration < iterations else optimisation.terms()
        losses = first_losses(terms)
        losses.update(iteration=iteration, seconds=time.perf_counter() - start)
        records.append(losses)
    return records


def seconds_per_step(optimisation: Optimisation, steps: int) -> float:
    if optimisation.pixels.device.type == "cpu":
        start = time.perf_counter()
        for _ in range(steps):
            optimisation.step()
        return (time.perf_counter() - start) / steps
    first, last = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    first.record()
    for _ in range(steps):
        optimisation.step()
    last.record()
    last.synchronize()
    return first.elapsed_time(last) / 1000 / steps


def read_picture(path: Union[str, Path], options: Options) -> Tensor:
    """As PyTorch computes with it: (1,3,H,W)."""
    with Image.open(path) as image:
        values = numpy.asarray(image.convert("RGB"), dtype=numpy.float32)
    pixels = torch.from_numpy(values).permute(2, 0, 1)[None].to(options.device, options.pixel_type)
    return pixels.contiguous(memory_format=options.layout)


def choose_arithmetic(options: Options) -> None:
    torch.set_num_threads(options.threads)
    if options.precision != "default":
        tf32 = options.precision not in ("fp64", "fp32")
        torch.set_float32_matmul_precision("high" if tf32 else "highest")
        torch.backends.cudnn.allow_tf32 = tf32
        torch.backends.cudnn.benchmark = True


def describe_run(options: Options, batch: int) -> Dict[str, Any]:
    on_gpu = options.device == "cuda"
    return {
        "torch": torch.__version__,
        "python": platform.python_version(),
        "build": torch.__config__.show().splitlines(),
        "cudnn": torch.backends.cudnn.version() if on_gpu else None,
        **asdict(options),
        "device": torch.cuda.get_device_name() if on_gpu else "cpu",
        "batch": batch,
    }


def peak_memory(options: Options) -> int:
    """Of the process; on a GPU of the tensors alone, without what the allocator keeps in reserve."""
    if options.device == "cuda":
        return int(torch.cuda.max_memory_allocated())
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def parser_of(doc: Optional[str], contents: str) -> argparse.ArgumentParser:
    """The options of every program in PyTorch."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", required=True, help="Impasto's weight file")
    parser.add_argument("--content", required=True, type=Path, help=contents)
    parser.add_argument("--style", required=True, help="a picture at its final size")
    parser.add_argument("--iterations", type=int, default=10)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--channels-last", action="store_true")
    return parser


def parse_arguments() -> argparse.Namespace:
    parser = parser_of(__doc__, "a picture at its final size")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--precision", choices=PRECISIONS, default="fp32")
    parser.add_argument("--compile", action="store_true", help="torch.compile (PyTorch 2)")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    options = Options(arguments.device, arguments.threads, arguments.channels_last, arguments.precision,
                      arguments.compile)  # fmt: skip
    choose_arithmetic(options)
    content = read_picture(arguments.content, options)
    style = read_picture(arguments.style, options)
    pixels = content.repeat(arguments.batch, 1, 1, 1).contiguous(memory_format=options.layout)
    objective = Objective(Network(arguments.weights, options), content, style)
    optimisation = Optimisation(objective, pixels, options)
    result = describe_run(options, arguments.batch)
    result["iterations"] = optimise(optimisation, arguments.iterations)
    result["peak_memory_bytes"] = peak_memory(options)
    print(json.dumps(result), flush=True)
    for line in sys.stdin:
        print(json.dumps({"seconds": seconds_per_step(optimisation, int(line))}), flush=True)


if __name__ == "__main__":
    main()
