#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Many pictures in PyTorch, the way a script of today does it: the network is loaded once, then one
picture after the other is read, optimised with the preset `coursera` and written as PNG.

Prints one JSON object: the seconds from the first picture to the last, and each picture's last loss
by the name of its file.
"""

import json
import time
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from pytorch_objective import Network, Objective, Options, first_losses
from pytorch_peer import Optimisation, choose_arithmetic, parser_of, read_picture


def write_picture(pixels: Tensor, path: Path) -> None:
    values = pixels.detach()[0].permute(1, 2, 0).clamp(0, 255).add(0.5).to(torch.uint8)
    Image.fromarray(values.cpu().numpy()).save(path)


def main() -> None:
    parser = parser_of(__doc__, "a folder of PNG files at their final size")
    parser.add_argument("--output", required=True, type=Path, help="a folder")
    arguments = parser.parse_args()
    options = Options("cpu", arguments.threads, arguments.channels_last, "fp32", False)
    choose_arithmetic(options)
    network = Network(arguments.weights, options)
    style = read_picture(arguments.style, options)
    losses = {}
    start = time.perf_counter()
    for path in sorted(arguments.content.glob("*.png")):
        content = read_picture(path, options)
        objective = Objective(network, content, style)
        optimisation = Optimisation(objective, content.clone(memory_format=options.layout), options)
        for _ in range(arguments.iterations):
            optimisation.step()
        losses[path.stem] = first_losses(optimisation.terms())["loss"]
        write_picture(optimisation.pixels, arguments.output / path.name)
    print(json.dumps({"torch": torch.__version__, "seconds": time.perf_counter() - start, "losses": losses}))


if __name__ == "__main__":
    main()
