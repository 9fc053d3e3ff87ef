// SPDX-License-Identifier: MIT
#include "host/terms/total_variation.hpp"

namespace impasto {
namespace {

class TotalVariationTerm final : public Term {
 public:
  TotalVariationTerm(const TotalVariationLoss& loss, const TermPlace& place) : Term(place) {
    scale_.loss = loss.scale.at(place.shape);
    scale_.gradient = place.gradient_weight * 2 * scale_.loss;
  }

  /// With a weight of 0 the loss is computed all the same: a NaN among the pixels shows in no other
  /// loss, because a ReLU makes 0 of it.
  std::optional<GradientTerm> add_loss(Schedule& schedule, TensorId x, const LossSlot& loss,
                                       bool with_gradient) const override {
    const StepKind kind{.name = "total variation", .operation = "total_variation"};
    if (!with_gradient || place_.gradient_weight <= 0) {
      schedule.add(kind, {x, loss.losses}, [=, this](Backend& backend, const Schedule& s) {
        backend.total_variation(loss.in(s), {}, s[x], scale_);
      });
      return std::nullopt;
    }
    return GradientTerm{
        layer(), GradientTerm::Order::after_layer_above,
        [=, this](Schedule& backward, TensorId grad_x, const GradientEpilogue& /*accumulates*/) {
          backward.add(kind, {grad_x, x, loss.losses},
                       [=, this](Backend& backend, const Schedule& s) {
                         backend.total_variation(loss.in(s), s[grad_x], s[x], scale_);
                       });
        }};
  }

 private:
  VariationScale scale_;
};

}  // namespace

std::unique_ptr<Term> TotalVariationLoss::make_term(const TermPlace& place) const {
  return std::make_unique<TotalVariationTerm>(*this, place);
}

}  // namespace impasto
