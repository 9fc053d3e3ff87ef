#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes lbfgs_golden.hpp: what torch.optim.LBFGS does on small functions, in double. Without a line search each
iteration evaluates once."""
import torch


class Trace:
    """The evaluations of a run: x, loss, gradient."""

    def __init__(self, x, loss_of, history, learning_rate, evaluations, grad=-1, change=-1, call=None):
        """`call`: the iterations of one call of step(), which is called until there were so many evaluations.
        Without it there is one call, and it may end early."""
        self.grad, self.change, self.call = grad, change, call
        self.seen = []
        x = x.clone().requires_grad_()
        steps = call or evaluations
        optimizer = torch.optim.LBFGS([x], lr=learning_rate, max_iter=steps, max_eval=10 * steps, history_size=history,
                                      tolerance_grad=grad, tolerance_change=change)

        def closure():
            optimizer.zero_grad()
            loss = loss_of(x)
            loss.backward()
            self.seen.append((x.detach().clone(), loss.item(), x.grad.clone()))
            return loss

        optimizer.step(closure)
        while call and len(self.seen) < evaluations:
            optimizer.step(closure)
        self.x = x.detach()
        if call:  # the last call may have gone further
            del self.seen[evaluations + 1:]
            if len(self.seen) > evaluations:
                self.x = self.seen.pop()[0]
        self.losses = [loss for _, loss, _ in self.seen]
        self.check_margins()

    def check_margins(self):
        """No test is so close that rounding to float would decide it."""
        def clear(value, tolerance):
            assert tolerance < 0 or value == 0 or not 0.95 < value / tolerance < 1.05, (value, tolerance)
        for k, (x, loss, grad) in enumerate(self.seen):
            clear(grad.abs().max().item(), self.grad)
            if k > 0:
                clear((x - self.seen[k - 1][0]).abs().max().item(), self.change)
                clear(abs(loss - self.seen[k - 1][1]), self.change)

    def end(self):
        """Why a single call ended before all of its iterations."""
        (before, last_loss, _), (x, loss, grad) = self.seen[-2:]
        if grad.abs().max() <= self.grad:
            return "gradient"
        if (x - before).abs().max() <= self.change:
            return "step"
        return "loss" if abs(loss - last_loss) < self.change else "slope"


def bowl(steepness):
    """½·Σ aᵢ·(xᵢ − cᵢ)², cᵢ = i mod 3."""
    def loss(x):
        i = torch.arange(12, dtype=torch.float64)
        return (0.5 * steepness(i) * (x - i % 3) ** 2).sum()
    return loss


quadratic, steep, round_bowl = bowl(lambda i: 1 + i), bowl(lambda i: 1e4 * (1 + i)), bowl(lambda i: 3)


def picture(x):
    """Of 5×7 pixels: Σ √(1 + (x − c)²), c = 20·(i mod 11), and a fifth of the squared differences
    between neighbours."""
    i = torch.arange(105, dtype=torch.float64).reshape(5, 7, 3)
    far = torch.sqrt(1 + (x - 20 * (i % 11)) ** 2).sum()
    return far + 0.2 * (((x[1:] - x[:-1]) ** 2).sum() + ((x[:, 1:] - x[:, :-1]) ** 2).sum())


def well(x):
    """Σ log(1 + (x − c)²), c = i mod 3: concave further than 1 from c, so that no pair is kept there."""
    i = torch.arange(12, dtype=torch.float64)
    return torch.log(1 + (x - i % 3) ** 2).sum()


def array(name, values):
    rows = [", ".join(f"{value:.15g}" for value in values[k : k + 4]) for k in range(0, len(values), 4)]
    return f"inline const std::vector<double> {name} = {{\n    " + ",\n    ".join(rows) + "};\n"


def show(name, trace):
    print(array(f"{name}_losses", trace.losses))
    print(array(f"{name}_x", trace.x.flatten().tolist()))


zeros = torch.zeros(12, dtype=torch.float64)
grey = torch.full((5, 7, 3), 100.0, dtype=torch.float64)
print("// SPDX-License-Identifier: MIT")
print("// Written by lbfgs_golden.py with PyTorch", torch.__version__)
print("#pragma once\n// clang-format off\n\n#include <vector>\n\nnamespace impasto::test::golden {\n")
show("quadratic", Trace(zeros, quadratic, 4, 0.9, 30))
show("picture", Trace(grey, picture, 6, 1, 20))
show("well", Trace(zeros + 6, well, 4, 0.5, 8))
for name, function, end, options in (("to_gradient", quadratic, "gradient", {"grad": 1e-3}),
                                     ("to_slope", round_bowl, "slope", {"change": 1e-3}),
                                     ("to_step", steep, "step", {"change": 1e-2}),
                                     ("to_loss", quadratic, "loss", {"change": 1e-2})):
    run = Trace(zeros, function, 4, 1, 100, **options)
    assert len(run.losses) < 100 and run.end() == end, (name, run.end(), len(run.losses))
    show(name, run)
calls = Trace(grey, picture, 6, 1, 25, grad=1e-4, change=0.5, call=5)  # all but the last go on
assert calls.losses[-1] == calls.losses[-5] and calls.seen[-1][2].abs().max() > 1e-4, "it ends with a slope"
show("calls", calls)
print("}  // namespace impasto::test::golden")
