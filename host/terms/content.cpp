// SPDX-License-Identifier: MIT
#include "host/terms/content.hpp"

#include "host/model/activation_scale.hpp"

namespace impasto {
namespace {

class ContentTerm final : public Term {
 public:
  ContentTerm(const ContentLoss& loss, const TermPlace& place)
      : Term(place), target_(state_.reserve(place.shape, place.activations)) {
    const double held = activation_scale(place.activations);
    scale_.loss = loss.scale.at(place.shape) / (held * held);
    scale_.gradient = place.gradient_weight * 2 * scale_.loss;
  }

  TargetSource target_source() const override { return TargetSource::content; }

  void add_target(Schedule& schedule, TensorId x, const TargetShare& /*share*/) const override {
    schedule.add(
        {.name = "content target", .operation = "copy", .layer = layer()}, {x},
        [=, this](Backend& backend, const Schedule& s) { backend.copy(state_[target_], s[x]); });
  }

  /// The loss is computed together with its gradient, in one pass over the map.
  std::optional<GradientTerm> add_loss(Schedule& schedule, TensorId x, const LossSlot& loss,
                                       bool with_gradient) const override {
    const StepKind kind{.name = "content loss", .operation = "content_loss", .layer = layer()};
    if (!with_gradient) {
      schedule.add(kind, {x, loss.losses}, [=, this](Backend& backend, const Schedule& s) {
        backend.content_loss(loss.in(s), {}, s[x], state_[target_], scale_, {});
      });
      return std::nullopt;
    }
    return GradientTerm{
        layer(), order(GradientTerm::Order::before_layer_above),
        [=, this](Schedule& backward, TensorId grad_x, const GradientEpilogue& epilogue) {
          StepKind joined = kind;
          joined.epilogue = epilogue;
          backward.add(joined, {grad_x, x, loss.losses},
                       [=, this](Backend& backend, const Schedule& s) {
                         backend.content_loss(loss.in(s), s[grad_x], s[x], state_[target_], scale_,
                                              epilogue);
                       });
        }};
  }

 private:
  ContentLossScale scale_;
  std::size_t target_;  ///< (N,H,W,C): the content pictures' feature maps
};

}  // namespace

std::unique_ptr<Term> ContentLoss::make_term(const TermPlace& place) const {
  return std::make_unique<ContentTerm>(*this, place);
}

}  // namespace impasto
