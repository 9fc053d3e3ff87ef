// SPDX-License-Identifier: MIT
#include "host/terms/statistics.hpp"

#include "host/model/activation_scale.hpp"

namespace impasto {
namespace {

class StatisticsTerm final : public Term {
 public:
  StatisticsTerm(const StatisticsLoss& loss, const TermPlace& place)
      : Term(place),
        target_(state_.reserve(statistics_shape(1, place.shape.channels), place.master)) {
    const double held = activation_scale(place.activations);
    scale_.loss = loss.scale.at(place.shape) / (held * held);
    scale_.gradient =
        place.gradient_weight * 2 * scale_.loss / static_cast<double>(place.shape.pixels());
  }

  TargetSource target_source() const override { return TargetSource::style; }

  void add_target(Schedule& schedule, TensorId x, const TargetShare& share) const override {
    const TensorId statistics = add_statistics(schedule, x);
    schedule.add({.name = "statistics target", .operation = "axpby", .layer = layer()},
                 {statistics}, [=, this](Backend& backend, const Schedule& s) {
                   backend.axpby(state_[target_], *share.share, s[statistics], share.first ? 0 : 1);
                 });
  }

  std::optional<GradientTerm> add_loss(Schedule& schedule, TensorId x, const LossSlot& loss,
                                       bool with_gradient) const override {
    const TensorId statistics = add_statistics(schedule, x);
    schedule.add({.name = "statistics loss", .operation = "statistics_loss", .layer = layer()},
                 {statistics, loss.losses}, [=, this](Backend& backend, const Schedule& s) {
                   backend.statistics_loss(loss.in(s), s[statistics], s[statistics],
                                           state_[target_], scale_);
                 });
    if (!with_gradient) return std::nullopt;
    return GradientTerm{
        layer(), order(GradientTerm::Order::after_layer_above),
        [=, this](Schedule& backward, TensorId grad_x, const GradientEpilogue& epilogue) {
          add_statistics_backward(backward, grad_x, x, statistics, epilogue);
        }};
  }

 private:
  StatisticsLossScale scale_;
  std::size_t target_;  ///< (1,1,2,C): μ' and σ', for all pictures
};

}  // namespace

std::unique_ptr<Term> StatisticsLoss::make_term(const TermPlace& place) const {
  return std::make_unique<StatisticsTerm>(*this, place);
}

}  // namespace impasto
