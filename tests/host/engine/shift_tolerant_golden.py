#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints tests/host/engine/shift_tolerant_golden.hpp: what PyTorch makes of a small picture in a
VGG-16 whose pooling is a maximum with stride 1 and a blur with stride 2, as networks have it that were
trained to tolerate shifts, and the pixels' gradient of a content loss. Weights and picture are sines, which
the test makes again."""

import math

import torch
import torch.nn.functional as F

HEIGHT, WIDTH = 17, 22
MEAN = (123.675, 116.28, 103.53)
DEVIATION = (58.395, 57.12, 57.375)
LAYERS = ((3, 64), (64, 64), "pool1", (64, 128), (128, 128), "pool2", (128, 256))
NAMES = ("conv1_1", "conv1_2", "pool1", "conv2_1", "conv2_2", "pool2", "conv3_1")


def sines(count, step, scale, offset=0.0):
    """As the test makes them: in double, rounded to float."""
    values = [offset + scale * math.sin(step * i * i % (2 * math.pi)) for i in range(count)]
    return torch.tensor(values, dtype=torch.float32).to(torch.float64)


def pool(x):
    channels = x.shape[1]
    row = torch.tensor([1.0, 2.0, 1.0], dtype=x.dtype) / 4
    blur = torch.outer(row, row)[None, None].repeat(channels, 1, 1, 1)
    x = F.max_pool2d(x, kernel_size=2, stride=1)
    return F.conv2d(F.pad(x, (2, 2, 2, 2), mode="reflect"), blur, stride=2, groups=channels)


def activations(pixels, padding):
    """Of every layer, by name."""
    mean = torch.tensor(MEAN, dtype=torch.float32).to(torch.float64).view(1, 3, 1, 1)
    deviation = torch.tensor(DEVIATION, dtype=torch.float32).to(torch.float64).view(1, 3, 1, 1)
    x = (pixels - mean) / deviation
    found = {}
    conv = 0
    for name, layer in zip(NAMES, LAYERS):
        if isinstance(layer, str):
            x = pool(x)
        else:
            inputs, outputs = layer
            scale = math.sqrt(6 / (9 * inputs))
            weight = sines(9 * inputs * outputs, 0.7 + 0.01 * conv, scale)
            weight = weight.view(outputs, 3, 3, inputs).permute(0, 3, 1, 2)
            bias = sines(outputs, 0.3 + 0.01 * conv, 0.1)
            mode = "replicate" if conv == 0 and padding == "replicate" else "constant"
            x = F.relu(F.conv2d(F.pad(x, (1, 1, 1, 1), mode=mode), weight, bias))
            conv += 1
        found[name] = x
    return found


def summary(x):
    """Of (1,C,H,W): the values in the order of the engine, summed plainly, squared, and by place."""
    values = x.detach()[0].permute(1, 2, 0).reshape(-1)
    places = torch.arange(1, len(values) + 1, dtype=values.dtype)
    return (values.sum().item(), (values * values).sum().item(),
            (values * torch.cos(places)).sum().item())


def picture(step):
    return sines(3 * HEIGHT * WIDTH, step, 120, 128).view(1, HEIGHT, WIDTH, 3).permute(0, 3, 1, 2)


def main():
    print("// SPDX-License-Identifier: MIT")
    print("// Printed by tests/host/engine/shift_tolerant_golden.py; PyTorch in double.")
    print("#pragma once\n")
    print("#include <array>\n#include <string_view>\n")
    print("namespace impasto::test {\n")
    print("/// Sums of a map's values, of their squares, and of value i times cos(i + 1).")
    print("struct Golden {\n  std::string_view name;\n  std::array<double, 3> sums;\n};\n")
    for padding in ("zero", "replicate"):
        pixels = picture(0.37).clone().requires_grad_()
        found = activations(pixels, padding)
        target = activations(picture(0.91), padding)["conv3_1"].detach()
        (found["conv3_1"] - target).square().mean().backward()
        rows = [(name, summary(x)) for name, x in found.items()]
        rows.append(("gradient of the pixels", summary(pixels.grad)))
        print(f"inline constexpr std::array<Golden, {len(rows)}> golden_{padding} = {{{{")
        for name, sums in rows:
            print(f'    {{"{name}", {{{", ".join(f"{value:.12g}" for value in sums)}}}}},')
        print("}};\n")
    print("}  // namespace impasto::test")


main()
