// SPDX-License-Identifier: MIT
#pragma once

#include "host/optimizer/optimizer.hpp"

namespace impasto {

/// Gradient descent, whose state is the number of steps (kernels/descent/descent.hpp).
std::unique_ptr<Optimizer> make_optimizer(const DescentOptions& options, const Tensor& pixels,
                                          const OptimizerPlace& place);

}  // namespace impasto
