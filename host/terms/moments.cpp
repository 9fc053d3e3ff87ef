// SPDX-License-Identifier: MIT
#include "host/terms/moments.hpp"

#include <algorithm>
#include <utility>

namespace impasto {
namespace {

constexpr double whole = 1;

/// Losses (1,1,1,N) as N maps of one value, which a guide multiplies.
Tensor as_maps(const Tensor& losses) {
  return {losses.data, {losses.shape.channels, 1, 1, 1}, losses.type};
}

}  // namespace

MomentsTerm::MomentsTerm(const TermPlace& place) : Term(place) {
  const Shape guide{1, place.shape.height, place.shape.width, 1};
  for (std::size_t style = 0; style < place.guided_styles; ++style) {
    styles_.push_back({.guide = state_.reserve(guide, place.master),
                       .pull = state_.reserve(guide, place.master),
                       .strength = state_.reserve({1, 1, 1, 1}, place.master)});
  }
}

std::size_t MomentsTerm::target_count() const { return std::max<std::size_t>(styles_.size(), 1); }

void MomentsTerm::add_target(Schedule& schedule, TensorId x, const TargetShare& share) const {
  append_target(schedule, x, std::nullopt, 0, share);
}

void MomentsTerm::add_guided_target(Schedule& schedule, TensorId x,
                                    const GuidedStyle& style) const {
  append_target(schedule, x, style.guide, style.index, {&whole, true});
}

void MomentsTerm::set_guide(Backend& backend, std::size_t style, std::span<const float> weights,
                            double strength) const {
  const auto factor = static_cast<float>(strength);
  std::vector<float> pull(weights.begin(), weights.end());
  for (float& value : pull) value *= factor;
  backend.write(state_[styles_[style].guide], guide_of(weights, strength));
  backend.write(state_[styles_[style].pull], pull);
  backend.write(state_[styles_[style].strength], std::span(&factor, 1));
}

std::optional<GradientTerm> MomentsTerm::add_loss(Schedule& schedule, TensorId x,
                                                  const LossSlot& loss, bool with_gradient) const {
  const GradientTerm::Order place = order(GradientTerm::Order::after_layer_above);
  if (styles_.empty()) {
    Backward backward = append_loss(schedule, x, std::nullopt, 0, loss);
    if (!with_gradient) return std::nullopt;
    return GradientTerm{layer(), place, std::move(backward)};
  }
  std::vector<Backward> backwards;
  for (std::size_t i = 0; i < styles_.size(); ++i) {
    const Shape losses{1, 1, 1, schedule[x].shape.batch};
    const TensorId own = schedule.temporary(losses, place_.master);
    const TensorId scaled = schedule.temporary(losses, place_.master);
    const TensorId guide = schedule.external(state_[styles_[i].guide]);
    backwards.push_back(append_loss(schedule, x, guide, i, {own, 0}));
    schedule.add({.name = "style strength", .operation = "guide_forward", .layer = layer()},
                 {own, scaled, loss.losses}, [=, this](Backend& backend, const Schedule& s) {
                   backend.guide_forward(as_maps(s[scaled]), as_maps(s[own]),
                                         state_[styles_[i].strength]);
                   backend.axpby(loss.in(s), 1, s[scaled], i == 0 ? 0 : 1);
                 });
  }
  if (!with_gradient) return std::nullopt;
  return GradientTerm{
      layer(), place,
      [=, this](Schedule& backward, TensorId grad_x, const GradientEpilogue& epilogue) {
        for (std::size_t i = 0; i < styles_.size(); ++i) {
          const bool last = i + 1 == styles_.size();
          const TensorId product = backward.temporary(backward[x].shape, place_.activations);
          backwards[i](backward, product, {});
          add_guided_backward(backward, grad_x, x, product, styles_[i].pull,
                              {.accumulate = epilogue.accumulate || i > 0,
                               .relu_mask = epilogue.relu_mask && last});
        }
      }};
}

}  // namespace impasto
