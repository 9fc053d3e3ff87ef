// SPDX-License-Identifier: MIT
#include "host/terms/statistics.hpp"

#include <vector>

#include "host/model/activation_scale.hpp"
#include "host/terms/moments.hpp"

namespace impasto {
namespace {

class StatisticsTerm final : public MomentsTerm {
 public:
  StatisticsTerm(const StatisticsLoss& loss, const TermPlace& place) : MomentsTerm(place) {
    for (std::size_t i = 0; i < target_count(); ++i) {
      targets_.push_back(state_.reserve(statistics_shape(1, place.shape.channels), place.master));
    }
    const double held = activation_scale(place.activations);
    scale_.loss = place.loss_share * loss.scale.at(place.shape) / (held * held);
    scale_.gradient =
        place.gradient_weight * 2 * scale_.loss / static_cast<double>(place.shape.pixels());
  }

  std::vector<float> guide_of(std::span<const float> weights, double /*strength*/) const override {
    return {weights.begin(), weights.end()};
  }

 private:
  void append_target(Schedule& schedule, TensorId x, const Guide& guide, std::size_t target,
                     const TargetShare& share) const override {
    const TensorId statistics = add_statistics(schedule, x, guide);
    schedule.add({.name = "statistics target", .operation = "axpby", .layer = layer()},
                 {statistics}, [=, this](Backend& backend, const Schedule& s) {
                   backend.axpby(state_[targets_[target]], *share.share, s[statistics],
                                 share.first ? 0 : 1);
                 });
  }

  Backward append_loss(Schedule& schedule, TensorId x, const Guide& guide, std::size_t target,
                       const LossSlot& loss) const override {
    const TensorId statistics = add_statistics(schedule, x, guide);
    schedule.add({.name = "statistics loss", .operation = "statistics_loss", .layer = layer()},
                 {statistics, loss.losses}, [=, this](Backend& backend, const Schedule& s) {
                   backend.statistics_loss(loss.in(s), s[statistics], s[statistics],
                                           state_[targets_[target]], scale_);
                 });
    return [=, this](Schedule& backward, TensorId grad_x, const GradientEpilogue& epilogue) {
      add_statistics_backward(backward, grad_x, x, statistics, epilogue);
    };
  }

  StatisticsLossScale scale_;
  std::vector<std::size_t> targets_;  ///< (1,1,2,C): μ' and σ', for all pictures
};

}  // namespace

std::unique_ptr<Term> StatisticsLoss::make_term(const TermPlace& place) const {
  return std::make_unique<StatisticsTerm>(*this, place);
}

}  // namespace impasto
