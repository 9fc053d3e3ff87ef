// SPDX-License-Identifier: MIT
#include "host/optimizer/descent.hpp"

namespace impasto {
namespace {

class Descent final : public Optimizer {
 public:
  explicit Descent(const DescentOptions& options)
      : options_(options), step_(state_.reserve({}, DataType::i64)) {}

  void add_step(Schedule& schedule, TensorId pixels, const Evaluation& evaluation) const override {
    const TensorId grad_pixels = evaluation.gradient();
    schedule.add({.name = "descent", .operation = "descent"}, {pixels, grad_pixels},
                 [=, this](Backend& backend, const Schedule& s) {
                   backend.descent(s[pixels], state_[step_], s[grad_pixels], options_);
                 });
  }

  OptimizerState state(Backend& backend) const override {
    OptimizerState state;
    keep_counter(backend, state_[step_], state);
    return state;
  }

  /// The rate goes on falling from where it was.
  void resume(Backend& backend, const OptimizerState& coarser) const override {
    if (coarser.counter.data != nullptr) backend.copy(state_[step_], coarser.counter);
  }

 private:
  DescentOptions options_;
  std::size_t step_;
};

}  // namespace

std::unique_ptr<Optimizer> make_optimizer(const DescentOptions& options, const Tensor& /*pixels*/,
                                          const OptimizerPlace& place) {
  require_pixels("gradient descent", place);
  return std::make_unique<Descent>(at_place(options, place));
}

}  // namespace impasto
