// SPDX-License-Identifier: MIT
#include "host/terms/total_variation.hpp"

namespace impasto {
namespace {

using kernels::VariationForm;

class TotalVariationTerm final : public Term {
 public:
  TotalVariationTerm(const TotalVariationLoss& loss, const TermPlace& place)
      : Term(place), form_{.form = loss.form, .beta = loss.beta} {
    form_.loss = loss.scale.at(place.shape);
    form_.gradient = place.gradient_weight * form_.loss;
  }

  /// With a weight of 0 the loss is computed all the same: a NaN among the pixels shows in no other
  /// loss, because a ReLU makes 0 of it.
  std::optional<GradientTerm> add_loss(Schedule& schedule, TensorId x, const LossSlot& loss,
                                       bool with_gradient) const override {
    const StepKind kind{
        .name = "total variation",
        .operation = form_.form == VariationForm::squares ? "total_variation" : "variation"};
    return add_pixel_loss(
        schedule, kind, x, loss, with_gradient && place_.gradient_weight > 0,
        [this](Backend& backend, const Tensor& losses, const Tensor& grad_pixels,
               const Tensor& pixels) { compute(backend, losses, grad_pixels, pixels); });
  }

 private:
  void compute(Backend& backend, const Tensor& loss, const Tensor& grad_pixels,
               const Tensor& pixels) const {
    if (form_.form != VariationForm::squares) {
      backend.variation(loss, grad_pixels, pixels, form_);
      return;
    }
    const VariationScale squares{.loss = form_.loss, .gradient = 2 * form_.gradient};
    backend.total_variation(loss, grad_pixels, pixels, squares);
  }

  VariationOptions form_;
};

}  // namespace

std::unique_ptr<Term> TotalVariationLoss::make_term(const TermPlace& place) const {
  return std::make_unique<TotalVariationTerm>(*this, place);
}

}  // namespace impasto
