// SPDX-License-Identifier: MIT
#include "host/terms/gram.hpp"

#include <cmath>

#include "host/model/activation_scale.hpp"

namespace impasto {
namespace {

/// What the styles' Gram matrices are compared with, whatever is compared.
class GramTermBase : public Term, public TiledTerm {
 public:
  GramTermBase(const GramLoss& loss, const TermPlace& place)
      : Term(place), gram_scale_(loss.gram_scale) {
    const double held = activation_scale(place.activations);
    gram_scale_.factor /= held * held;
    scale_.gram = gram_scale_.at(place.shape);
    scale_.loss = place.loss_share * loss.style_scale.at(place.shape);
    scale_.gradient = place.gradient_weight * 4 * scale_.loss * scale_.gram;
  }

  TargetSource target_source() const override { return TargetSource::style; }
  const TiledTerm* tiled() const override { return this; }

 protected:
  std::size_t reserve_target() {
    return state_.reserve(matrix_shape(1, place_.shape.channels), place_.master);
  }

  TensorId add_matrix(Schedule& schedule, TensorId x) const {
    const Shape& map = schedule[x].shape;
    return schedule.temporary(matrix_shape(map.batch, map.channels),
                              style_matrix_type(place_.activations, place_.master));
  }

  /// Appends the losses of the map `x` against a target, and returns the matrix that takes a map to
  /// the gradient of its loss.
  TensorId add_gram_loss(Schedule& schedule, TensorId x, std::size_t target,
                         const LossSlot& loss) const {
    const TensorId matrix = add_matrix(schedule, x);
    schedule.add({.name = "style loss", .operation = "gram_loss", .layer = layer()},
                 {matrix, x, loss.losses}, [=, this](Backend& backend, const Schedule& s) {
                   backend.gram_loss(loss.in(s), s[matrix], s[x], state_[target], scale_);
                 });
    return matrix;
  }

  /// The same of Gram matrices that are there, which become that matrix.
  void add_loss_of_gram(Schedule& schedule, TensorId gram, std::size_t target,
                        const LossSlot& loss) const {
    schedule.add({.name = "style loss", .operation = "style_loss", .layer = layer()},
                 {gram, loss.losses}, [=, this](Backend& backend, const Schedule& s) {
                   backend.style_loss(loss.in(s), s[gram], s[gram], state_[target], scale_);
                 });
  }

  Normaliser gram_scale_;
  StyleLossScale scale_;
};

class GramTerm final : public GramTermBase {
 public:
  GramTerm(const GramLoss& loss, const TermPlace& place)
      : GramTermBase(loss, place), target_(reserve_target()) {
    if (place.adds_styles) spread_ = state_.reserve({1, 1, 1, 1}, place.master);
  }

  const Tensor* loss_spread() const override { return spread_ ? &state_[*spread_] : nullptr; }

  void add_target(Schedule& schedule, TensorId x, const TargetShare& share) const override {
    add_target_of_sums(schedule, {add_gram(schedule, x)}, schedule[x].shape, share);
  }

  /// The loss turns G into the matrix that takes the map to its gradient; both are made here, while
  /// the map is still in the cache.
  std::optional<GradientTerm> add_loss(Schedule& schedule, TensorId x, const LossSlot& loss,
                                       bool with_gradient) const override {
    const TensorId matrix = add_gram_loss(schedule, x, target_, loss);
    return with_gradient ? std::optional(gradient_of(x, matrix)) : std::nullopt;
  }

  bool joins_first_conv() const override { return true; }
  std::optional<GradientTerm> add_first_conv_and_loss(Schedule& schedule, TensorId pixels,
                                                      TensorId x, const Network& network,
                                                      const LossSlot& loss,
                                                      bool with_gradient) const override {
    const TensorId matrix = add_matrix(schedule, x);
    schedule.add(
        {.name = "forward and style loss", .operation = "first_conv_gram_loss", .layer = layer()},
        {x, loss.losses, matrix, pixels}, [=, this, &network](Backend& backend, const Schedule& s) {
          backend.first_conv_gram_loss(s[x], loss.in(s), s[matrix], s[pixels], network.first_conv(),
                                       network.mean(), state_[target_], scale_);
        });
    return with_gradient ? std::optional(gradient_of(x, matrix)) : std::nullopt;
  }

  GradientTerm gradient_of(TensorId x, TensorId matrix) const {
    return {layer(), order(GradientTerm::Order::after_layer_above),
            [=, this](Schedule& backward, TensorId grad_x, const GradientEpilogue& epilogue) {
              add_style_backward(backward, grad_x, x, matrix, epilogue);
            },
            [=, this](Schedule& backward, TensorId grad_pixels, TensorId grad_x,
                      const Network& network, const GradientEpilogue& epilogue) {
              backward.add({.name = "style and backward",
                            .operation = "style_first_conv_backward",
                            .layer = layer(),
                            .epilogue = epilogue},
                           {grad_pixels, grad_x, x, matrix},
                           [=, &network](Backend& backend, const Schedule& s) {
                             backend.style_first_conv_backward(s[grad_pixels], s[grad_x], s[x],
                                                               s[matrix], network.first_conv(),
                                                               epilogue);
                           });
            }};
  }

  std::vector<Shape> sums(std::int64_t batch) const override {
    return {matrix_shape(batch, place_.shape.channels)};
  }

  void add_sums(Schedule& schedule, const TilePart& part, const Sums& sums) const override {
    add_to_sum(schedule, sums[0], 1, add_gram(schedule, part.x));
  }

  void add_loss_of_sums(Schedule& schedule, const Sums& sums, const LossSlot& loss) const override {
    add_loss_of_gram(schedule, sums[0], target_, loss);
  }

  void add_gradient_of_sums(Schedule& schedule, TensorId grad, const TilePart& part,
                            const Sums& sums) const override {
    add_style_backward(schedule, grad, part.x, sums[0], {});
  }

  void add_target_of_sums(Schedule& schedule, const Sums& sums, const Shape& map,
                          const TargetShare& share) const override {
    if (spread_) add_spread(schedule, sums[0], map, share);
    schedule.add({.name = "style target", .operation = "axpby", .layer = layer()}, {sums[0]},
                 [=, this, sum = sums[0]](Backend& backend, const Schedule& s) {
                   backend.axpby(state_[target_], *share.share * gram_scale_.at(map), s[sum],
                                 share.first ? 0 : 1);
                 });
  }

 private:
  /// Before a style joins the target, which is W times the mean of those before it, W their share: the
  /// spread grows by w·W / (w + W) · |A_s − mean|² = w / (W·(w + W)) · |W·A_s − target|².
  /// (Chan, Golub, LeVeque 1979)
  void add_spread(Schedule& schedule, TensorId gram, const Shape& map,
                  const TargetShare& share) const {
    if (share.first) {
      schedule.add({.name = "style target", .operation = "fill_zero", .layer = layer()}, {gram},
                   [=, this](Backend& backend, const Schedule& /*s*/) {
                     backend.fill_zero(state_[*spread_]);
                   });
      return;
    }
    const TensorId unused = schedule.temporary(schedule[gram].shape, place_.master);
    const TensorId own = schedule.temporary({1, 1, 1, 1}, place_.master);
    schedule.add(
        {.name = "style target", .operation = "style_loss", .layer = layer()}, {gram, unused, own},
        [=, this](Backend& backend, const Schedule& s) {
          const double before = *share.before;
          const double all = before + *share.share;
          const double part = before > 0 ? *share.share / (before * all) : 0;
          backend.style_loss(
              s[own], s[unused], s[gram], state_[target_],
              {.gram = before * gram_scale_.at(map), .loss = part * scale_.loss, .gradient = 0});
        });
    schedule.add({.name = "style target", .operation = "axpby", .layer = layer()}, {own},
                 [=, this](Backend& backend, const Schedule& s) {
                   backend.axpby(state_[*spread_], 1, s[own], 1);
                 });
  }

  std::size_t target_;                 ///< (1,C,C): A, for all pictures
  std::optional<std::size_t> spread_;  ///< (1,1,1,1): loss_spread()
};

/// The same with a guide and a target for each style. The gradient of a style's loss at the map is
/// T_p² · F_p·M_s.
class GuidedGramTerm final : public GramTermBase {
 public:
  GuidedGramTerm(const GramLoss& loss, const TermPlace& place) : GramTermBase(loss, place) {
    const Shape guide{1, place.shape.height, place.shape.width, 1};
    for (std::size_t style = 0; style < place.guided_styles; ++style) {
      styles_.push_back({.target = reserve_target(),
                         .guide = state_.reserve(guide, place.master),
                         .squared = state_.reserve(guide, place.master)});
    }
  }

  /// On both sides, so that the loss is strength times that of weighted matrices.
  std::vector<float> guide_of(std::span<const float> weights, double strength) const override {
    std::vector<float> guide(weights.begin(), weights.end());
    for (float& value : guide) {
      value = static_cast<float>(std::sqrt(static_cast<double>(value) * std::sqrt(strength)));
    }
    return guide;
  }

  void set_guide(Backend& backend, std::size_t style, std::span<const float> weights,
                 double strength) const override {
    const std::vector<float> guide = guide_of(weights, strength);
    std::vector<float> squares = guide;
    for (float& value : squares) value *= value;
    backend.write(state_[styles_[style].guide], guide);
    backend.write(state_[styles_[style].squared], squares);
  }

  void add_guided_target(Schedule& schedule, TensorId x, const GuidedStyle& style) const override {
    const Shape map = schedule[x].shape;
    const TensorId gram = add_gram(schedule, add_guided(schedule, x, style.guide));
    schedule.add({.name = "style target", .operation = "axpby", .layer = layer()}, {gram},
                 [=, this](Backend& backend, const Schedule& s) {
                   backend.axpby(state_[styles_[style.index].target], gram_scale_.at(map), s[gram],
                                 0);
                 });
  }

  std::optional<GradientTerm> add_loss(Schedule& schedule, TensorId x, const LossSlot& loss,
                                       bool with_gradient) const override {
    std::vector<TensorId> matrices;
    for (const Guided& style : styles_) {
      const TensorId guided = add_guided(schedule, x, schedule.external(state_[style.guide]));
      if (matrices.empty()) {
        matrices.push_back(add_gram_loss(schedule, guided, style.target, loss));
        continue;
      }
      const TensorId own = schedule.temporary({1, 1, 1, schedule[x].shape.batch}, place_.master);
      matrices.push_back(add_gram_loss(schedule, guided, style.target, {own, 0}));
      add_to_losses(schedule, "style loss", loss, own);
    }
    if (!with_gradient) return std::nullopt;
    return GradientTerm{
        layer(), order(GradientTerm::Order::after_layer_above),
        [=, this](Schedule& backward, TensorId grad_x, const GradientEpilogue& epilogue) {
          for (std::size_t i = 0; i < styles_.size(); ++i) {
            const bool last = i + 1 == styles_.size();
            const TensorId product = backward.temporary(backward[x].shape, place_.activations);
            add_style_backward(backward, product, x, matrices[i], {});
            add_guided_backward(backward, grad_x, x, product, styles_[i].squared,
                                {.accumulate = epilogue.accumulate || i > 0,
                                 .relu_mask = epilogue.relu_mask && last});
          }
        }};
  }

  std::vector<Shape> sums(std::int64_t batch) const override {
    return std::vector(styles_.size(), matrix_shape(batch, place_.shape.channels));
  }

  void add_sums(Schedule& schedule, const TilePart& part, const Sums& sums) const override {
    for (std::size_t i = 0; i < styles_.size(); ++i) {
      const TensorId guide = add_part_of_guide(schedule, part, styles_[i].guide);
      add_to_sum(schedule, sums[i], 1, add_gram(schedule, add_guided(schedule, part.x, guide)));
    }
  }

  void add_loss_of_sums(Schedule& schedule, const Sums& sums, const LossSlot& loss) const override {
    for (std::size_t i = 0; i < styles_.size(); ++i) {
      const std::int64_t batch = schedule[sums[i]].shape.batch;
      const TensorId own = schedule.temporary({1, 1, 1, batch}, place_.master);
      add_loss_of_gram(schedule, sums[i], styles_[i].target, {own, 0});
      add_to_losses(schedule, "style loss", loss, own);
    }
  }

  void add_gradient_of_sums(Schedule& schedule, TensorId grad, const TilePart& part,
                            const Sums& sums) const override {
    for (std::size_t i = 0; i < styles_.size(); ++i) {
      const TensorId product = schedule.temporary(schedule[part.x].shape, place_.activations);
      const TensorId squared = add_part_of_guide(schedule, part, styles_[i].squared);
      add_style_backward(schedule, product, part.x, sums[i], {});
      schedule.add({.name = "guide backward", .operation = "guide_backward", .layer = layer()},
                   {grad, product, part.x, squared},
                   [=, x = part.x](Backend& backend, const Schedule& s) {
                     backend.guide_backward(s[grad], s[product], s[x], s[squared],
                                            {.accumulate = i > 0, .relu_mask = false});
                   });
    }
  }

 private:
  TensorId add_part_of_guide(Schedule& schedule, const TilePart& part, std::size_t guide) const {
    const Shape& shape = schedule[part.x].shape;
    const TensorId own = schedule.temporary({1, shape.height, shape.width, 1}, place_.master);
    schedule.add({.name = "guide", .operation = "crop_forward", .layer = layer()}, {own},
                 [=, this, corner = part.in_map](Backend& backend, const Schedule& s) {
                   backend.crop_forward(s[own], state_[guide], *corner);
                 });
    return own;
  }

  struct Guided {
    std::size_t target;   ///< (1,C,C): A_s, for all pictures
    std::size_t guide;    ///< (1,H,W,1): T_s
    std::size_t squared;  ///< T_s²
  };

  std::vector<Guided> styles_;
};

}  // namespace

std::unique_ptr<Term> GramLoss::make_term(const TermPlace& place) const {
  if (place.guided_styles > 0) return std::make_unique<GuidedGramTerm>(*this, place);
  return std::make_unique<GramTerm>(*this, place);
}

}  // namespace impasto
