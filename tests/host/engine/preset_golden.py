#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints tests/host/engine/preset_golden.hpp: what each published system's own loss is on a small
picture, and ours, the pixels' gradient of it, and how the loss goes in the first ten iterations of the system's own
optimiser. Everything is written here from the systems' formulas, in the unit in which each of them holds its
picture, in PyTorch and in double. Weights and pictures are sines, which the test makes again."""

import math

import torch
import torch.nn.functional as F

MEAN = (123.68, 116.779, 103.939)
CONVS = (("conv1_1", 3, 64), ("conv1_2", 64, 64), ("conv2_1", 64, 128), ("conv2_2", 128, 128),
         ("conv3_1", 128, 256), ("conv3_2", 256, 256), ("conv3_3", 256, 256), ("conv3_4", 256, 256),
         ("conv4_1", 256, 512), ("conv4_2", 512, 512), ("conv4_3", 512, 512), ("conv4_4", 512, 512),
         ("conv5_1", 512, 512), ("conv5_2", 512, 512))
BLOCKS = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")
STEPS = 11


def sines(count, step, scale, offset=0.0):
    """As the test makes them: in double, rounded to float."""
    i = torch.arange(count, dtype=torch.float64)
    values = offset + scale * torch.sin(torch.fmod(step * i * i, 2 * math.pi))
    return values.to(torch.float32).to(torch.float64)


def vgg():
    convs = []
    for index, (_, inputs, outputs) in enumerate(CONVS):
        scale = 0.8 * math.sqrt(6 / (9 * inputs))
        weight = sines(9 * inputs * outputs, 0.7 + 0.01 * index, scale)
        bias = sines(outputs, 0.3 + 0.01 * index, 0.1)
        convs.append((weight.view(outputs, 3, 3, inputs).permute(0, 3, 1, 2), bias))
    return convs


WEIGHTS = vgg()


def picture(height, width, step):
    """In the values of 0 to 255 that the engine holds."""
    values = sines(3 * height * width, step, 120, 128)
    return values.view(1, height, width, 3).permute(0, 3, 1, 2).contiguous()


def per_channel(values):
    return torch.tensor(values, dtype=torch.float32).to(torch.float64).view(1, 3, 1, 1)


class Layers:
    """The maps of every convolution before and after its ReLU, as far as conv5_2."""

    def __init__(self, x, pool, first_padding="constant"):
        self.before, self.after = {}, {}
        for (name, _, _), (weight, bias) in zip(CONVS, WEIGHTS):
            if name[-1] == "1" and name != "conv1_1":
                x = pool(x)
            padding = first_padding if name == "conv1_1" else "constant"
            self.before[name] = F.conv2d(F.pad(x, (1, 1, 1, 1), padding), weight, bias)
            x = self.after[name] = F.relu(self.before[name])


def max_pool(ceil):
    return lambda x: F.max_pool2d(x, 2, ceil_mode=ceil)


def average_pool(x):
    """TensorFlow's SAME: windows that stick out count what they hold."""
    return F.avg_pool2d(x, 2, ceil_mode=True, count_include_pad=False)


def matrix(features):
    flat = features.reshape(features.shape[1], -1)
    return flat @ flat.T


def sum_of_squares(a, b):
    return ((a - b) ** 2).sum()


class System:
    """A published system: how it holds a picture, what it minimises and how."""

    size = (20, 34)
    pool = staticmethod(max_pool(ceil=False))
    unit = 1.0  # what is optimised is this many times a picture of 0 to 255
    lbfgs = {}  # what it says to L-BFGS, which otherwise has PyTorch's defaults

    def input(self, x):
        """From what is optimised to what the network sees."""
        return x - per_channel(MEAN)

    def __init__(self):
        self.content = self.see(picture(*self.size, 0.91) * self.unit)
        self.style = self.see(picture(*self.size, 0.53) * self.unit)

    def see(self, x):
        return Layers(self.input(x), self.pool)

    def loss(self, x):
        """The number that the system prints."""
        raise NotImplementedError

    def uncounted(self, x):
        """What is followed besides."""
        return torch.zeros((), dtype=x.dtype)

    def clamp(self, x):
        """Before an evaluation."""

    def gradient(self):
        x = (picture(*self.size, 0.37) * self.unit).requires_grad_()
        (self.loss(x) + self.uncounted(x)).backward()
        return x.grad * self.unit  # by the picture of 0 to 255

    def closure(self, x, optimizer, losses):
        def evaluate():
            self.clamp(x)
            optimizer.zero_grad()
            loss = self.loss(x)
            (loss + self.uncounted(x)).backward()
            losses.append(loss.item())
            return loss
        return evaluate

    def run(self):
        """L-BFGS without a line search, which evaluates once in a step."""
        x = (picture(*self.size, 0.37) * self.unit).requires_grad_()
        losses = []
        optimizer = torch.optim.LBFGS([x], **self.lbfgs)
        optimizer.step(self.closure(x, optimizer, losses))
        return losses[:STEPS]

    def descend(self, step):
        """Any other optimiser: step(k, x, gradient) returns the next x."""
        x = picture(*self.size, 0.37) * self.unit
        losses = []
        for k in range(STEPS):
            x = x.detach().requires_grad_()
            loss = self.loss(x)
            loss.backward()
            losses.append(loss.item())
            x = step(k, x.detach(), x.grad)
        return losses


class TensorFlowAdam:
    """With ε beside the uncorrected root."""

    def __init__(self, rate, beta1=0.9, beta2=0.999, epsilon=1e-8, highest=None):
        self.rate, self.beta1, self.beta2, self.epsilon = rate, beta1, beta2, epsilon
        self.highest = highest
        self.m = self.v = 0

    def __call__(self, k, x, grad):
        self.m = self.beta1 * self.m + (1 - self.beta1) * grad
        self.v = self.beta2 * self.v + (1 - self.beta2) * grad * grad
        rate = self.rate * math.sqrt(1 - self.beta2 ** (k + 1)) / (1 - self.beta1 ** (k + 1))
        x = x - rate * self.m / (self.v.sqrt() + self.epsilon)
        return x if self.highest is None else x.clamp(0, self.highest)


class Gatys(System):
    def style_loss(self, found):
        total = 0
        for name in BLOCKS:
            ours, theirs = found.after[name], self.style.after[name]
            pixels, channels = ours[0, 0].numel(), ours.shape[1]
            total = total + 1e3 / channels ** 2 * F.mse_loss(matrix(ours) / pixels, matrix(theirs) / pixels)
        return total

    def loss(self, x):
        found = self.see(x)
        return F.mse_loss(found.after["conv4_2"], self.content.after["conv4_2"]) + self.style_loss(found)


class Spst(Gatys):
    def loss(self, x):
        total = super().loss(x)
        found = self.see(x)
        for name in BLOCKS:
            ours, theirs = found.after[name], self.style.after[name]
            for statistic in (lambda f: f.mean((2, 3)),
                              lambda f: ((f * f).mean((2, 3)) - f.mean((2, 3)) ** 2).sqrt()):
                total = total + 1e4 * F.mse_loss(statistic(ours), statistic(theirs))
        return total


class Coursera(System):
    pool = staticmethod(average_pool)

    def loss(self, x):
        found = self.see(x)
        ours, theirs = found.after["conv4_2"], self.content.after["conv4_2"]
        total = 10 * sum_of_squares(ours, theirs) / (4 * ours.numel())
        for name in BLOCKS:
            ours, theirs = found.after[name], self.style.after[name]
            total = total + 40 * 0.2 * sum_of_squares(matrix(ours), matrix(theirs)) / (4 * ours.numel() ** 2)
        return total

    def run(self):
        return self.descend(TensorFlowAdam(2))


class NeuralStyle(System):
    """The Lua program: the picture times 256."""

    unit = 256 / 255
    lbfgs = {"tolerance_grad": -1, "tolerance_change": -1}
    pool = staticmethod(max_pool(ceil=True))

    def loss(self, x):
        found = self.see(x)
        total = 5 * F.mse_loss(found.after["conv4_2"], self.content.after["conv4_2"])
        for name in BLOCKS:
            ours, theirs = found.after[name], self.style.after[name]
            total = total + 100 * F.mse_loss(matrix(ours) / ours.numel(), matrix(theirs) / theirs.numel())
        return total

    def uncounted(self, x):
        here = x[:, :, :-1, :-1]
        return 1e-3 * 0.5 * (sum_of_squares(x[:, :, 1:, :-1], here) + sum_of_squares(x[:, :, :-1, 1:], here))


class Normalized(torch.autograd.Function):
    """A map, whose gradient is divided by its L1 norm and multiplied by a strength."""

    @staticmethod
    def forward(context, features, strength):
        context.strength = strength
        return features.view_as(features)

    @staticmethod
    def backward(context, gradient):
        return context.strength * gradient / (gradient.abs().sum() + 1e-8), None


class NormalizedNeuralStyle(NeuralStyle):
    """With -normalize_gradients: the loss is as it was, the gradient of each of its modules normalised."""

    def loss(self, x):
        found = self.see(x)
        terms = [(5, found.after["conv4_2"], lambda f: F.mse_loss(f, self.content.after["conv4_2"]))]
        for name in BLOCKS:
            theirs = self.style.after[name]
            wanted = matrix(theirs) / theirs.numel()
            terms.append((100, found.after[name],
                          lambda f, wanted=wanted: F.mse_loss(matrix(f) / f.numel(), wanted)))
        total = 0
        for strength, features, distance in terms:
            followed = distance(Normalized.apply(features, strength))
            total = total + strength * followed.detach() + followed - followed.detach()
        return total


class NeuralStylePt(NeuralStyle):
    unit = 1.0
    pool = staticmethod(max_pool(ceil=False))

    def loss(self, x):
        down = (x[:, :, 1:, :] - x[:, :, :-1, :]).abs().sum()
        right = (x[:, :, :, 1:] - x[:, :, :, :-1]).abs().sum()
        return super().loss(x) + 1e-3 * (down + right)

    def uncounted(self, x):
        return System.uncounted(self, x)


class PytorchTutorial(System):
    """Pixels of 0 to 1, clamped before each evaluation."""

    unit = 1 / 255

    def input(self, x):
        return (x - per_channel((0.485, 0.456, 0.406))) / per_channel((0.229, 0.224, 0.225))

    def loss(self, x):
        found = self.see(x)
        total = F.mse_loss(found.before["conv2_2"], self.content.before["conv2_2"])
        for name in ("conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1"):
            ours, theirs = found.before[name], self.style.before[name]
            total = total + 1e6 * F.mse_loss(matrix(ours) / ours.numel(), matrix(theirs) / theirs.numel())
        return total

    def clamp(self, x):
        with torch.no_grad():
            x.clamp_(0, 1)


class Keras(System):
    size = (16, 32)

    def loss(self, x):
        found = self.see(x)
        total = 2.5e-8 * sum_of_squares(found.after["conv5_2"], self.content.after["conv5_2"])
        pixels = self.size[0] * self.size[1]
        for name in BLOCKS:
            distance = sum_of_squares(matrix(found.after[name]), matrix(self.style.after[name]))
            total = total + 1e-6 / 5 * distance / (4 * 3 ** 2 * pixels ** 2)
        here = x[:, :, :-1, :-1]
        a, b = (here - x[:, :, 1:, :-1]) ** 2, (here - x[:, :, :-1, 1:]) ** 2
        return total + 1e-6 * ((a + b) ** 1.25).sum()

    def run(self):
        return self.descend(lambda k, x, grad: x - 100 * 0.96 ** (k / 100) * grad)


class TensorFlow(System):
    """Pixels of 0 to 1."""

    unit = 1 / 255

    def input(self, x):
        return x * 255 - per_channel(MEAN)

    def loss(self, x):
        found = self.see(x)
        total = 1e4 * F.mse_loss(found.after["conv5_2"], self.content.after["conv5_2"])
        for name in BLOCKS:
            ours, theirs = found.after[name], self.style.after[name]
            pixels = ours[0, 0].numel()
            total = total + 1e-2 / 5 * F.mse_loss(matrix(ours) / pixels, matrix(theirs) / pixels)
        down = (x[:, :, 1:, :] - x[:, :, :-1, :]).abs().sum()
        right = (x[:, :, :, 1:] - x[:, :, :, :-1]).abs().sum()
        return total + 30 * (down + right)

    def run(self):
        return self.descend(TensorFlowAdam(0.02, beta1=0.99, epsilon=0.1, highest=1))


class Anishathalye(System):
    pool = staticmethod(max_pool(ceil=True))

    def loss(self, x):
        found = self.see(x)
        total = 5 * F.mse_loss(found.after["conv4_2"], self.content.after["conv4_2"])
        for name in BLOCKS:
            ours, theirs = found.after[name], self.style.after[name]
            total = total + 500 / 5 * F.mse_loss(matrix(ours) / ours.numel(), matrix(theirs) / theirs.numel())
        return total + 100 * (F.mse_loss(x[:, :, 1:], x[:, :, :-1]) + F.mse_loss(x[..., 1:], x[..., :-1]))

    def run(self):
        return self.descend(TensorFlowAdam(10))


class Cysmith(System):
    """SciPy's tests are not PyTorch's."""

    pool = staticmethod(average_pool)
    lbfgs = {"tolerance_grad": -1, "tolerance_change": -1}

    def loss(self, x):
        found = self.see(x)
        ours, theirs = found.before["conv4_2"], self.content.before["conv4_2"]
        pixels, channels = ours[0, 0].numel(), ours.shape[1]
        total = 5 * sum_of_squares(ours, theirs) / (2 * math.sqrt(channels) * math.sqrt(pixels))
        for name in BLOCKS:
            ours, theirs = found.after[name], self.style.after[name]
            distance = sum_of_squares(matrix(ours), matrix(theirs)) / (4 * ours.numel() ** 2)
            total = total + 1e4 * 0.2 * distance / 5
        down = (x[:, :, 1:, :] - x[:, :, :-1, :]).abs().sum()
        right = (x[:, :, :, 1:] - x[:, :, :, :-1]).abs().sum()
        return total + 1e-3 * (down + right)


class MatrixRoot(torch.autograd.Function):
    """Newton and Schulz's iteration for the root of a matrix, and that for the Lyapunov equation of its
    gradient, twelve steps each."""

    @staticmethod
    def forward(context, matrix):
        norm = matrix.norm()
        one = torch.eye(len(matrix), dtype=matrix.dtype)
        root, inverse = matrix / norm, one
        for _ in range(12):
            step = 1.5 * one - 0.5 * inverse @ root
            root, inverse = root @ step, step @ inverse
        root = root * norm.sqrt()
        context.save_for_backward(root)
        return root

    @staticmethod
    def backward(context, gradient):
        root, = context.saved_tensors
        norm = root.norm()
        one = torch.eye(len(root), dtype=root.dtype)
        a, q = root / norm, gradient / norm
        for _ in range(12):
            square = a @ a
            q = 0.5 * (q @ (3 * one - square) - a.T @ (a.T @ q - q @ a))
            a = 0.5 * a @ (3 * one - square)
        return q / 2


class StyleTransferPytorch(PytorchTutorial):
    """Pixels of 0 to 1, clamped after each step."""

    def see(self, x):
        return Layers(self.input(x), self.pool, "replicate")

    @staticmethod
    def distribution(features):
        mean = features.mean((0, 2, 3))
        second_moment = matrix(features) / features[0, 0].numel()
        return mean, second_moment - torch.outer(mean, mean) + 1e-4 * torch.eye(len(mean), dtype=mean.dtype)

    def loss(self, x):
        found = self.see(x)
        total = 0.015 * F.mse_loss(found.after["conv4_2"], self.content.after["conv4_2"])
        for name, weight in zip(BLOCKS, (256, 64, 16, 4, 1)):
            mean, covariance = self.distribution(found.after[name])
            with torch.no_grad():
                wanted_mean, wanted = self.distribution(self.style.after[name])
                wanted_root = MatrixRoot.apply(wanted)
            shared = MatrixRoot.apply(wanted_root @ covariance @ wanted_root)
            distance = F.mse_loss(mean, wanted_mean) + (wanted + covariance - 2 * shared).diagonal().mean()
            total = total + weight / 341 * distance
        x = F.pad(x, (1, 1, 1, 1), "replicate")
        inner = x[:, :, 1:-1, 1:-1]
        plain = ((x[:, :, 1:-1, 2:] - inner) ** 2).mean() + ((x[:, :, 2:, 1:-1] - inner) ** 2).mean()
        diagonal = (((x[:, :, 1:, 1:] - x[:, :, :-1, :-1]) ** 2).mean()
                    + ((x[:, :, 1:, :-1] - x[:, :, :-1, 1:]) ** 2).mean())
        return total + 2 * 2 * (plain / 3 + diagonal / 12)

    def run(self):
        m = v = 0

        def step(k, x, grad):
            nonlocal m, v
            m = 0.9 * m + 0.1 * grad
            v = 0.99 * v + 0.01 * grad * grad
            root = (v / (1 - 0.99 ** (k + 1))).sqrt() + 1e-8
            return (x - 0.02 * m / (1 - 0.9 ** (k + 1)) / root).clamp(0, 1)
        return self.descend(step)


class Impasto(System):
    """Ours. From its page and that of L-BFGS with a reach: no step moves the pixels further than that, and one
    without a pair no less; pixels stay in their range."""

    pool = staticmethod(average_pool)
    content = (2, "conv3_1")
    style = {"conv1_1": 0.2, "conv2_1": 0.4, "conv3_1": 0.4}
    variation = 0.4
    history, reach = 10, 3

    def __init__(self):
        self.photograph = self.see(picture(*self.size, 0.91))
        self.painting = self.see(picture(*self.size, 0.53))

    def see(self, x):
        return Layers(self.input(x), self.pool, "replicate").after

    def loss(self, x):
        found = self.see(x)
        weight, layer = self.content
        total = weight * F.mse_loss(found[layer], self.photograph[layer])
        for name, weight in self.style.items():
            ours, theirs = (matrix(maps[name]) / maps[name][0, 0].numel() for maps in (found, self.painting))
            total = total + weight * F.mse_loss(ours, theirs)
        down, right = x[:, :, 1:] - x[:, :, :-1], x[..., 1:] - x[..., :-1]
        return total + self.variation * ((down ** 2).sum() + (right ** 2).sum()) / x.numel()

    def run(self):
        pairs = []
        last = None

        def step(k, x, grad):
            nonlocal last
            if last is not None:
                moved, before = last
                pairs.append((moved, grad - before))
                if (pairs[-1][0] * pairs[-1][1]).sum() <= 1e-10:
                    pairs.pop()
                del pairs[:-self.history]
            direction, factors = -grad, []
            for s, y in reversed(pairs):
                factors.append((s * direction).sum() / (y * s).sum())
                direction = direction - factors[-1] * y
            if pairs:
                s, y = pairs[-1]
                direction = direction * ((y * s).sum() / (y * y).sum())
            for s, y in pairs:
                direction = direction + (factors.pop() - (y * direction).sum() / (y * s).sum()) * s
            furthest = self.reach * math.sqrt(x.numel()) / direction.norm()
            moved = direction * (furthest.clamp(max=1) if pairs else furthest)
            last = moved, grad
            return (x + moved).clamp(0, 255)
        return self.descend(step)


class Trained(Impasto):
    content = (0.1, "conv4_2")
    style = {"conv1_1": 40000, "conv2_1": 2000, "conv3_1": 24000, "conv4_1": 200}
    variation = 1e-6


SYSTEMS = {"gatys": Gatys, "coursera": Coursera, "neural-style": NeuralStyle,
           "neural-style-pt": NeuralStylePt, "pytorch-tutorial": PytorchTutorial, "keras": Keras,
           "tensorflow": TensorFlow, "anishathalye": Anishathalye, "cysmith": Cysmith, "spst": Spst,
           "style-transfer-pytorch": StyleTransferPytorch, "impasto": Impasto, "trained": Trained}


def summary(x):
    """Of (1,C,H,W): the values in the order of the engine, summed plainly, squared, and by place."""
    values = x.detach()[0].permute(1, 2, 0).reshape(-1)
    places = torch.arange(1, len(values) + 1, dtype=values.dtype)
    return (values.sum().item(), (values * values).sum().item(),
            (values * torch.cos(places)).sum().item())


def array(values):
    return ", ".join(f"{value:.12g}" for value in values)


def print_golden(name, system):
    one = system()
    print(f'    {{"{name}",\n     {one.size[0]},\n     {one.size[1]},\n     {{{array(summary(one.gradient()))}}},')
    print(f"     {{{array(one.run())}}}}}", end="", flush=True)


def main():
    print("// SPDX-License-Identifier: MIT")
    print("// Printed by tests/host/engine/preset_golden.py; PyTorch in double.")
    print("#pragma once\n")
    print("#include <array>\n#include <cstdint>\n#include <string_view>\n")
    print("namespace impasto::test {\n")
    print("/// What a published system does with a small picture.\nstruct PresetGolden {")
    print("  std::string_view preset;\n  std::int64_t height;\n  std::int64_t width;")
    print("  /// Sums of the values of the pixels' gradient, of their squares, and of value i times cos(i + 1).")
    print("  std::array<double, 3> gradient;")
    print(f"  std::array<double, {STEPS}> losses;  ///< before each step\n}};\n")
    print(f"inline constexpr std::array<PresetGolden, {len(SYSTEMS)}> preset_golden = {{{{")
    for name, system in SYSTEMS.items():
        print_golden(name, system)
        print(",")
    print("}};\n")
    print("/// With -normalize_gradients.\ninline constexpr PresetGolden normalized_golden =")
    print_golden("neural-style", NormalizedNeuralStyle)
    print(";\n")
    print("}  // namespace impasto::test")


main()
