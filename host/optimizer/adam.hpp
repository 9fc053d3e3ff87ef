// SPDX-License-Identifier: MIT
#pragma once

#include "host/optimizer/optimizer.hpp"

namespace impasto {

/// Adam, whose state is two moments of the gradient and the number of steps
/// (kernels/adam/adam.hpp).
std::unique_ptr<Optimizer> make_optimizer(const AdamOptions& options, const Tensor& pixels);

}  // namespace impasto
