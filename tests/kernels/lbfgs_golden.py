#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes lbfgs_golden.hpp: what torch.optim.LBFGS does on two functions, in double."""
import torch


def run(x, loss_of, history, learning_rate, evaluations):
    """The loss of every evaluation, and the last x. Without a line search each step evaluates once."""
    x = x.clone().requires_grad_()
    losses = []
    optimizer = torch.optim.LBFGS([x], lr=learning_rate, max_iter=evaluations, max_eval=10 * evaluations,
                                  history_size=history, tolerance_grad=-1, tolerance_change=-1)

    def closure():
        optimizer.zero_grad()
        loss = loss_of(x)
        loss.backward()
        losses.append(loss.item())
        return loss

    optimizer.step(closure)
    return losses[:evaluations], x.detach().flatten().tolist()


def quadratic(x):
    """½·Σ aᵢ·(xᵢ − cᵢ)², aᵢ = 1 + i, cᵢ = i mod 3."""
    i = torch.arange(12, dtype=torch.float64)
    return (0.5 * (1 + i) * (x - i % 3) ** 2).sum()


def picture(x):
    """Of 5×7 pixels: Σ √(1 + (x − c)²), c = 20·(i mod 11), and a fifth of the squared differences
    between neighbours."""
    i = torch.arange(105, dtype=torch.float64).reshape(5, 7, 3)
    far = torch.sqrt(1 + (x - 20 * (i % 11)) ** 2).sum()
    return far + 0.2 * (((x[1:] - x[:-1]) ** 2).sum() + ((x[:, 1:] - x[:, :-1]) ** 2).sum())


def array(name, values):
    rows = [", ".join(f"{value:.15g}" for value in values[k : k + 4]) for k in range(0, len(values), 4)]
    return f"inline const std::vector<double> {name} = {{\n    " + ",\n    ".join(rows) + "};\n"


quadratic_losses, quadratic_x = run(torch.zeros(12, dtype=torch.float64), quadratic, 4, 0.9, 30)
picture_losses, picture_x = run(torch.full((5, 7, 3), 100.0, dtype=torch.float64), picture, 6, 1, 20)
print("// SPDX-License-Identifier: MIT")
print("// Written by lbfgs_golden.py with PyTorch", torch.__version__)
print("#pragma once\n\n#include <vector>\n\nnamespace impasto::test::golden {\n")
print(array("quadratic_losses", quadratic_losses))
print(array("quadratic_x", quadratic_x))
print(array("picture_losses", picture_losses))
print(array("picture_x", picture_x))
print("}  // namespace impasto::test::golden")
