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
    return add_pixel_loss(schedule, kind, x, loss, with_gradient,
                          [this](Backend& backend, const Tensor& losses, const Tensor& grad_pixels,
                                 const Tensor& pixels) {
                            backend.temporal_loss(losses, grad_pixels, pixels, state_[target_],
                                                  state_[mask_], scale_);
                          });
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
