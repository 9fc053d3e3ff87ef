// SPDX-License-Identifier: MIT
#pragma once

#include "host/optimizer/optimizer.hpp"

namespace impasto {

/// L-BFGS with PyTorch's update rule and tests and no line search, each picture by itself
/// (kernels/lbfgs/lbfgs.hpp). Its state is `history` pairs of pictures. A finer scale starts it anew:
/// curvature does not carry over.
std::unique_ptr<Optimizer> make_optimizer(const LbfgsOptions& options, const Tensor& pixels,
                                          const OptimizerPlace& place);

}  // namespace impasto
