// SPDX-License-Identifier: MIT
#include "host/optimizer/descent.hpp"

#include <iterator>
#include <vector>

namespace impasto {
namespace {

class Descent final : public Optimizer {
 public:
  Descent(const DescentOptions& options, const Tensor& pixels, const Strips& strips)
      : options_(options),
        strips_(strips),
        steps_(state_.reserve({.batch = std::ssize(strips.own(pixels))}, DataType::i64)) {}

  void add_step(Schedule& schedule, TensorId pixels, const Evaluation& evaluation) const override {
    const TensorId grad_pixels = evaluation.gradient();
    schedule.add({.name = "descent", .operation = "descent"}, {pixels, grad_pixels},
                 [=, this](Backend& backend, const Schedule& s) {
                   for (const OwnPart& part : own_parts(strips_, s[pixels], s[grad_pixels])) {
                     backend.descent(part.x, part.of(state_[steps_]), part.grad, options_);
                   }
                 });
  }

  [[nodiscard]] bool reads_whole_gradient() const override { return false; }

  OptimizerState state(Backend& backend, const Tensor& /*room*/) const override {
    OptimizerState state;
    keep_counter(backend, state_[steps_], state);
    return state;
  }

  /// The rate goes on falling from where it was.
  void resume(Backend& backend, const OptimizerState& coarser) const override {
    if (coarser.counter) resume_counter(backend, state_[steps_], coarser);
  }

 private:
  DescentOptions options_;
  Strips strips_;
  std::size_t steps_;
};

}  // namespace

std::unique_ptr<Optimizer> make_optimizer(const DescentOptions& options, const Tensor& pixels,
                                          const OptimizerPlace& place) {
  require_pixels("gradient descent", place);
  return std::make_unique<Descent>(at_place(options, place), pixels, place.strips);
}

}  // namespace impasto
