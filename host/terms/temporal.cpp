// SPDX-License-Identifier: MIT
#include "host/terms/temporal.hpp"

namespace impasto {
namespace {

class TemporalTerm final : public Term {
 public:
  TemporalTerm(const TemporalLoss& loss, const TermPlace& place)
      : Term(place),
        target_(state_.reserve(place.shape, place.master)),
        mask_(state_.reserve({place.shape.batch, place.shape.height, place.shape.width, 1},
                             place.master)) {
    scale_.loss = loss.scale.at(place.shape);
    scale_.gradient = place.gradient_weight * 2 * scale_.loss;
  }

  void set_anchor(Backend& backend, std::int64_t n, std::span<const float> picture,
                  std::span<const float> mask) const override {
    const Tensor target = image_of(state_[target_], n);
    const Tensor where = image_of(state_[mask_], n);
    if (picture.empty()) {
      backend.fill_zero(target);
      backend.fill_zero(where);
    } else {
      backend.write(target, picture);
      backend.write(where, mask);
    }
  }

  std::optional<GradientTerm> add_loss(Schedule& schedule, TensorId x, const LossSlot& loss,
                                       bool with_gradient) const override {
    const StepKind kind{.name = "temporal loss", .operation = "temporal_loss"};
    if (!with_gradient) {
      schedule.add(kind, {x, loss.losses}, [=, this](Backend& backend, const Schedule& s) {
        backend.temporal_loss(loss.in(s), {}, s[x], state_[target_], state_[mask_], scale_);
      });
      return std::nullopt;
    }
    return GradientTerm{
        layer(), GradientTerm::Order::after_layer_above,
        [=, this](Schedule& backward, TensorId grad_x, const GradientEpilogue& /*accumulates*/) {
          backward.add(kind, {grad_x, x, loss.losses},
                       [=, this](Backend& backend, const Schedule& s) {
                         backend.temporal_loss(loss.in(s), s[grad_x], s[x], state_[target_],
                                               state_[mask_], scale_);
                       });
        }};
  }

 private:
  TemporalLossScale scale_;
  std::size_t target_;  ///< (N,H,W,3)
  std::size_t mask_;    ///< (N,H,W,1)
};

}  // namespace

std::unique_ptr<Term> TemporalLoss::make_term(const TermPlace& place) const {
  return std::make_unique<TemporalTerm>(*this, place);
}

}  // namespace impasto
