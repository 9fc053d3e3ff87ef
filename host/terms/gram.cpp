// SPDX-License-Identifier: MIT
#include "host/terms/gram.hpp"

#include "host/model/activation_scale.hpp"

namespace impasto {
namespace {

class GramTerm final : public Term {
 public:
  GramTerm(const GramLoss& loss, const TermPlace& place)
      : Term(place),
        gram_scale_(loss.gram_scale),
        target_(state_.reserve(matrix_shape(1, place.shape.channels), place.master)) {
    const double held = activation_scale(place.activations);
    gram_scale_.factor /= held * held;
    scale_.gram = gram_scale_.at(place.shape);
    scale_.loss = loss.style_scale.at(place.shape);
    scale_.gradient = place.gradient_weight * 4 * scale_.loss * scale_.gram;
  }

  TargetSource target_source() const override { return TargetSource::style; }

  void add_target(Schedule& schedule, TensorId x, const TargetShare& share) const override {
    const Shape map = schedule[x].shape;
    const TensorId gram = add_gram(schedule, x);
    schedule.add({.name = "style target", .operation = "axpby", .layer = layer()}, {gram},
                 [=, this](Backend& backend, const Schedule& s) {
                   backend.axpby(state_[target_], *share.share * gram_scale_.at(map), s[gram],
                                 share.first ? 0 : 1);
                 });
  }

  /// The loss turns G into the matrix that takes the map to its gradient; both are made here, while
  /// the map is still in the cache.
  std::optional<GradientTerm> add_loss(Schedule& schedule, TensorId x, const LossSlot& loss,
                                       bool with_gradient) const override {
    const Shape map = schedule[x].shape;
    const TensorId matrix =
        schedule.temporary(matrix_shape(map.batch, map.channels), place_.master);
    schedule.add({.name = "style loss", .operation = "gram_loss", .layer = layer()},
                 {matrix, x, loss.losses}, [=, this](Backend& backend, const Schedule& s) {
                   backend.gram_loss(loss.in(s), s[matrix], s[x], state_[target_], scale_);
                 });
    if (!with_gradient) return std::nullopt;
    return GradientTerm{
        layer(), order(GradientTerm::Order::after_layer_above),
        [=, this](Schedule& backward, TensorId grad_x, const GradientEpilogue& epilogue) {
          add_style_backward(backward, grad_x, x, matrix, epilogue);
        }};
  }

 private:
  Normaliser gram_scale_;
  StyleLossScale scale_;
  std::size_t target_;  ///< (1,C,C): A, for all pictures
};

}  // namespace

std::unique_ptr<Term> GramLoss::make_term(const TermPlace& place) const {
  return std::make_unique<GramTerm>(*this, place);
}

}  // namespace impasto
