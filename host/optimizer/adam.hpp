// SPDX-License-Identifier: MIT
#pragma once

#include "host/optimizer/optimizer.hpp"

namespace impasto {

/// Adam, whose state is two moments of the gradient and the number of steps (kernels/adam/adam.hpp).
/// With several levels it optimises a Laplacian pyramid of the picture in place of its pixels: a
/// coarse level moves large areas at once, so that colour and large forms do not have to wait for
/// every pixel, and noise of single pixels is a small part of each step.
std::unique_ptr<Optimizer> make_optimizer(const AdamOptions& options, const Tensor& pixels,
                                          const OptimizerPlace& place);

}  // namespace impasto
