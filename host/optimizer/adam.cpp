// SPDX-License-Identifier: MIT
#include "host/optimizer/adam.hpp"

namespace impasto {
namespace {

class Adam final : public Optimizer {
 public:
  Adam(const AdamOptions& options, const Tensor& pixels)
      : options_(options),
        m_(state_.reserve(pixels.shape, pixels.type)),
        v_(state_.reserve(pixels.shape, pixels.type)),
        step_(state_.reserve({}, DataType::i64)) {}

  void add_step(Schedule& schedule, TensorId pixels, const Evaluate& evaluate) const override {
    const TensorId grad_pixels = evaluate();
    schedule.add({.name = "Adam", .operation = "adam"}, {pixels, grad_pixels},
                 [=, this](Backend& backend, const Schedule& s) {
                   backend.adam(s[pixels], state_[m_], state_[v_], state_[step_], s[grad_pixels],
                                options_);
                 });
  }

 private:
  AdamOptions options_;
  std::size_t m_;
  std::size_t v_;
  std::size_t step_;
};

}  // namespace

std::unique_ptr<Optimizer> make_optimizer(const AdamOptions& options, const Tensor& pixels) {
  return std::make_unique<Adam>(options, pixels);
}

}  // namespace impasto
