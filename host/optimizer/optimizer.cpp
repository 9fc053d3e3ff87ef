// SPDX-License-Identifier: MIT
#include "host/optimizer/optimizer.hpp"

#include "host/optimizer/adam.hpp"

namespace impasto {

void Optimizer::reset(Backend& backend) const {
  for (std::size_t tensor = 0; tensor < state_.size(); ++tensor) {
    backend.fill_zero(state_[tensor]);
  }
}

std::unique_ptr<Optimizer> make_optimizer(const OptimizerSettings& settings, const Tensor& pixels,
                                          double gradient_scale) {
  return std::visit(
      [&](auto options) {
        options.gradient_scale = gradient_scale;
        return make_optimizer(options, pixels);
      },
      settings);
}

}  // namespace impasto
