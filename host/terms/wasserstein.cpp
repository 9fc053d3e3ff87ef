// SPDX-License-Identifier: MIT
#include "host/terms/wasserstein.hpp"

#include <cmath>
#include <vector>

#include "host/model/activation_scale.hpp"
#include "host/terms/moments.hpp"

namespace impasto {
namespace {

class WassersteinTerm final : public MomentsTerm, public TiledTerm {
 public:
  WassersteinTerm(const WassersteinLoss& loss, const TermPlace& place)
      : MomentsTerm(place), held_(activation_scale(place.activations)) {
    const std::int64_t channels = place.shape.channels;
    for (std::size_t i = 0; i < target_count(); ++i) {
      targets_.push_back({.statistics = state_.reserve(statistics_shape(1, channels), place.master),
                          .second_moment = state_.reserve(matrix_shape(1, channels), place.master),
                          .root = state_.reserve(matrix_shape(1, channels), place.master)});
    }
    scale_.mean = 1 / held_;
    scale_.moment = moment_scale(place.shape);
    scale_.loss = place.loss_share * loss.scale.at(place.shape);
    scale_.gradient = place.gradient_weight * scale_.loss;
  }

  /// Once for a matrix of products, twice for a mean.
  std::vector<float> guide_of(std::span<const float> weights, double /*strength*/) const override {
    std::vector<float> guide(weights.begin(), weights.end());
    for (float& value : guide) value = std::sqrt(value);
    return guide;
  }

  /// Means and second moments are sums. The deviations that come with means are not, and are not read.
  const TiledTerm* tiled() const override { return is_guided() ? nullptr : this; }

  std::vector<Shape> sums(std::int64_t batch) const override {
    const std::int64_t channels = place_.shape.channels;
    const Shape coefficients = statistics_shape(batch, channels);
    return {matrix_shape(batch, channels), statistics_shape(batch, channels), coefficients};
  }

  void add_sums(Schedule& schedule, const TilePart& part, const Sums& sums) const override {
    const Moments moments = add_moments(schedule, part.x, std::nullopt);
    const auto pixels = static_cast<double>(schedule[part.x].shape.pixels());
    add_to_sum(schedule, sums[0], 1, moments.gram);
    add_to_sum(schedule, sums[1], pixels / static_cast<double>(part.map.pixels()),
               moments.statistics);
  }

  void add_loss_of_sums(Schedule& schedule, const Sums& sums, const LossSlot& loss) const override {
    add_loss_of_moments(schedule, {sums[0], sums[1]}, sums[2], 0, loss);
  }

  void add_gradient_of_sums(Schedule& schedule, TensorId grad, const TilePart& part,
                            const Sums& sums) const override {
    add_gradient_of_moments(schedule, grad, part.x, sums[0], sums[2], {});
  }

  void add_target_of_sums(Schedule& schedule, const Sums& sums, const Shape& map,
                          const TargetShare& share) const override {
    add_target_of_moments(schedule, {sums[0], sums[1]}, map, 0, share);
  }

 private:
  struct Moments {
    TensorId gram;
    TensorId statistics;
  };
  Moments add_moments(Schedule& schedule, TensorId x, const Guide& guide) const {
    if (!guide) return {add_gram(schedule, x), add_statistics(schedule, x)};
    const TensorId seen = add_guided(schedule, x, *guide);
    const TensorId gram = add_gram(schedule, seen);
    return {gram, add_statistics(schedule, add_guided(schedule, seen, *guide))};
  }

  /// The root is taken again behind each style; the last one's stays.
  void append_target(Schedule& schedule, TensorId x, const Guide& guide, std::size_t target,
                     const TargetShare& share) const override {
    add_target_of_moments(schedule, add_moments(schedule, x, guide), schedule[x].shape, target,
                          share);
  }

  void add_target_of_moments(Schedule& schedule, const Moments& moments, const Shape& map,
                             std::size_t target, const TargetShare& share) const {
    const Target& to = targets_[target];
    const double scale = moment_scale(map);
    schedule.add(
        {.name = "style target", .operation = "axpby", .layer = layer()},
        {moments.gram, moments.statistics}, [=, this](Backend& backend, const Schedule& s) {
          const double kept = share.first ? 0 : 1;
          backend.axpby(state_[to.second_moment], *share.share * scale, s[moments.gram], kept);
          backend.axpby(state_[to.statistics], *share.share / held_, s[moments.statistics], kept);
        });
    schedule.add({.name = "style root", .operation = "covariance_root", .layer = layer()}, {},
                 [=, this](Backend& backend, const Schedule& /*s*/) {
                   backend.covariance_root(state_[to.root], state_[to.second_moment],
                                           state_[to.statistics]);
                 });
  }

  Backward append_loss(Schedule& schedule, TensorId x, const Guide& guide, std::size_t target,
                       const LossSlot& loss) const override {
    const Shape map = schedule[x].shape;
    const Moments moments = add_moments(schedule, x, guide);
    const TensorId coefficients =
        schedule.temporary(statistics_shape(map.batch, map.channels), place_.master);
    add_loss_of_moments(schedule, moments, coefficients, target, loss);
    return [=, this](Schedule& backward, TensorId grad_x, const GradientEpilogue& epilogue) {
      add_gradient_of_moments(backward, grad_x, x, moments.gram, coefficients, epilogue);
    };
  }

  /// The loss overwrites the Gram matrices with their gradients.
  void add_loss_of_moments(Schedule& schedule, const Moments& moments, TensorId coefficients,
                           std::size_t target, const LossSlot& loss) const {
    const Target& to = targets_[target];
    schedule.add({.name = "style loss", .operation = "wasserstein_loss", .layer = layer()},
                 {moments.gram, moments.statistics, coefficients, loss.losses},
                 [=, this](Backend& backend, const Schedule& s) {
                   backend.wasserstein_loss(
                       loss.in(s), s[moments.gram], s[coefficients], s[moments.gram],
                       s[moments.statistics],
                       {state_[to.statistics], state_[to.second_moment], state_[to.root]}, scale_);
                 });
  }

  void add_gradient_of_moments(Schedule& backward, TensorId grad_x, TensorId x, TensorId matrix,
                               TensorId coefficients, const GradientEpilogue& epilogue) const {
    add_style_backward(backward, grad_x, x, matrix,
                       {.accumulate = epilogue.accumulate, .relu_mask = false});
    add_statistics_backward(backward, grad_x, x, coefficients,
                            {.accumulate = true, .relu_mask = epilogue.relu_mask});
  }

  [[nodiscard]] double moment_scale(const Shape& map) const {
    return 1 / (held_ * held_ * static_cast<double>(map.pixels()));
  }

  /// For all pictures.
  struct Target {
    std::size_t statistics;     ///< (1,1,2,C): μ'
    std::size_t second_moment;  ///< (1,C,C): S'
    std::size_t root;           ///< (1,C,C): √Σ'
  };

  double held_;  ///< activations are held times this
  WassersteinScale scale_;
  std::vector<Target> targets_;
};

}  // namespace

std::unique_ptr<Term> WassersteinLoss::make_term(const TermPlace& place) const {
  return std::make_unique<WassersteinTerm>(*this, place);
}

}  // namespace impasto
