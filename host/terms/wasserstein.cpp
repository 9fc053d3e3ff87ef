// SPDX-License-Identifier: MIT
#include "host/terms/wasserstein.hpp"

#include "host/model/activation_scale.hpp"

namespace impasto {
namespace {

class WassersteinTerm final : public Term {
 public:
  WassersteinTerm(const WassersteinLoss& loss, const TermPlace& place)
      : Term(place),
        held_(activation_scale(place.activations)),
        statistics_(state_.reserve(statistics_shape(1, place.shape.channels), place.master)),
        second_moment_(state_.reserve(matrix_shape(1, place.shape.channels), place.master)),
        root_(state_.reserve(matrix_shape(1, place.shape.channels), place.master)) {
    scale_.mean = 1 / held_;
    scale_.moment = moment_scale(place.shape);
    scale_.loss = loss.scale.at(place.shape);
    scale_.gradient = place.gradient_weight * scale_.loss;
  }

  TargetSource target_source() const override { return TargetSource::style; }

  /// The root is taken again behind each style; the last one's stays.
  void add_target(Schedule& schedule, TensorId x, const TargetShare& share) const override {
    const TensorId gram = add_gram(schedule, x);
    const TensorId statistics = add_statistics(schedule, x);
    const double scale = moment_scale(schedule[x].shape);
    schedule.add({.name = "style target", .operation = "axpby", .layer = layer()},
                 {gram, statistics}, [=, this](Backend& backend, const Schedule& s) {
                   const double kept = share.first ? 0 : 1;
                   backend.axpby(state_[second_moment_], *share.share * scale, s[gram], kept);
                   backend.axpby(state_[statistics_], *share.share / held_, s[statistics], kept);
                 });
    schedule.add({.name = "style root", .operation = "covariance_root", .layer = layer()}, {},
                 [this](Backend& backend, const Schedule& /*s*/) {
                   backend.covariance_root(state_[root_], state_[second_moment_],
                                           state_[statistics_]);
                 });
  }

  std::optional<GradientTerm> add_loss(Schedule& schedule, TensorId x, const LossSlot& loss,
                                       bool with_gradient) const override {
    const Shape map = schedule[x].shape;
    const TensorId matrix = add_gram(schedule, x);
    const TensorId statistics = add_statistics(schedule, x);
    const TensorId coefficients =
        schedule.temporary(statistics_shape(map.batch, map.channels), place_.master);
    schedule.add({.name = "style loss", .operation = "wasserstein_loss", .layer = layer()},
                 {matrix, statistics, coefficients, loss.losses},
                 [=, this](Backend& backend, const Schedule& s) {
                   backend.wasserstein_loss(
                       loss.in(s), s[matrix], s[coefficients], s[matrix], s[statistics],
                       {state_[statistics_], state_[second_moment_], state_[root_]}, scale_);
                 });
    if (!with_gradient) return std::nullopt;
    return GradientTerm{
        layer(), order(GradientTerm::Order::after_layer_above),
        [=, this](Schedule& backward, TensorId grad_x, const GradientEpilogue& epilogue) {
          const GradientEpilogue first{.accumulate = epilogue.accumulate, .relu_mask = false};
          const GradientEpilogue last{.accumulate = true, .relu_mask = epilogue.relu_mask};
          add_style_backward(backward, grad_x, x, matrix, first);
          add_statistics_backward(backward, grad_x, x, coefficients, last);
        }};
  }

 private:
  [[nodiscard]] double moment_scale(const Shape& map) const {
    return 1 / (held_ * held_ * static_cast<double>(map.pixels()));
  }

  double held_;  ///< activations are held times this
  WassersteinScale scale_;
  std::size_t statistics_;     ///< (1,1,2,C): μ', for all pictures, as what follows
  std::size_t second_moment_;  ///< (1,C,C): S'
  std::size_t root_;           ///< (1,C,C): √Σ'
};

}  // namespace

std::unique_ptr<Term> WassersteinLoss::make_term(const TermPlace& place) const {
  return std::make_unique<WassersteinTerm>(*this, place);
}

}  // namespace impasto
