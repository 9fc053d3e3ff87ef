// SPDX-License-Identifier: MIT
#include "host/optimizer/optimizer.hpp"

#include "host/optimizer/adam.hpp"
#include "host/optimizer/lbfgs.hpp"

namespace impasto {

void Optimizer::reset(Backend& backend) const {
  for (std::size_t tensor = 0; tensor < state_.size(); ++tensor) {
    backend.fill_zero(state_[tensor]);
  }
}

std::unique_ptr<Optimizer> make_optimizer(const OptimizerSettings& settings, const Tensor& pixels,
                                          const OptimizerPlace& place) {
  return std::visit([&](const auto& options) { return make_optimizer(options, pixels, place); },
                    settings);
}

}  // namespace impasto
