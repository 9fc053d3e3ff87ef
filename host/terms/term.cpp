// SPDX-License-Identifier: MIT
#include "host/terms/term.hpp"

namespace impasto {

std::optional<GradientTerm> Term::add_pixel_loss(Schedule& schedule, const StepKind& kind,
                                                 TensorId pixels, const LossSlot& loss,
                                                 bool with_gradient,
                                                 const PixelLoss& compute) const {
  if (!with_gradient) {
    schedule.add(kind, {pixels, loss.losses}, [=](Backend& backend, const Schedule& s) {
      compute(backend, loss.in(s), {}, s[pixels]);
    });
    return std::nullopt;
  }
  return GradientTerm{
      layer(), GradientTerm::Order::after_layer_above,
      [=](Schedule& backward, TensorId grad_pixels, const GradientEpilogue& /*accumulates*/) {
        backward.add(kind, {grad_pixels, pixels, loss.losses},
                     [=](Backend& backend, const Schedule& s) {
                       compute(backend, loss.in(s), s[grad_pixels], s[pixels]);
                     });
      }};
}

TensorId Term::add_gram(Schedule& schedule, TensorId x) const {
  const Shape map = schedule[x].shape;
  const TensorId gram = schedule.temporary(matrix_shape(map.batch, map.channels), place_.master);
  schedule.add({.name = "Gram matrix", .operation = "gram", .layer = layer()}, {x, gram},
               [=](Backend& backend, const Schedule& s) { backend.gram(s[gram], s[x]); });
  return gram;
}

void Term::add_to_losses(Schedule& schedule, std::string_view name, const LossSlot& loss,
                         TensorId own) const {
  schedule.add(
      {.name = name, .operation = "axpby", .layer = layer()}, {own, loss.losses},
      [=](Backend& backend, const Schedule& s) { backend.axpby(loss.in(s), 1, s[own], 1); });
}

void Term::add_to_sum(Schedule& schedule, TensorId sum, double share, TensorId of_part) const {
  schedule.add(
      {.name = "tile's sum", .operation = "axpby", .layer = layer()}, {sum, of_part},
      [=](Backend& backend, const Schedule& s) { backend.axpby(s[sum], share, s[of_part], 1); });
}

TensorId Term::add_guided(Schedule& schedule, TensorId x, TensorId guide) const {
  const TensorId y = schedule.temporary(schedule[x].shape, place_.activations);
  schedule.add(
      {.name = "guide", .operation = "guide_forward", .layer = layer()}, {x, y, guide},
      [=](Backend& backend, const Schedule& s) { backend.guide_forward(s[y], s[x], s[guide]); });
  return y;
}

TensorId Term::add_statistics(Schedule& schedule, TensorId x,
                              std::optional<TensorId> weights) const {
  const Shape map = schedule[x].shape;
  const TensorId statistics =
      schedule.temporary(statistics_shape(map.batch, map.channels), place_.master);
  schedule.add({.name = "statistics", .operation = "channel_statistics", .layer = layer()},
               {x, statistics, weights.value_or(x)}, [=](Backend& backend, const Schedule& s) {
                 backend.channel_statistics(s[statistics], s[x], weights ? s[*weights] : Tensor{});
               });
  return statistics;
}

void Term::add_style_backward(Schedule& backward, TensorId grad_x, TensorId x, TensorId matrix,
                              const GradientEpilogue& epilogue) const {
  backward.add({.name = "style backward",
                .operation = "style_backward",
                .layer = layer(),
                .epilogue = epilogue},
               {grad_x, x, matrix}, [=](Backend& backend, const Schedule& s) {
                 backend.style_backward(s[grad_x], s[x], s[matrix], epilogue);
               });
}

void Term::add_statistics_backward(Schedule& backward, TensorId grad_x, TensorId x,
                                   TensorId coefficients, const GradientEpilogue& epilogue) const {
  backward.add({.name = "statistics backward",
                .operation = "statistics_backward",
                .layer = layer(),
                .epilogue = epilogue},
               {grad_x, x, coefficients}, [=](Backend& backend, const Schedule& s) {
                 backend.statistics_backward(s[grad_x], s[x], s[coefficients], epilogue);
               });
}

void Term::add_guided_backward(Schedule& backward, TensorId grad_x, TensorId x, TensorId product,
                               std::size_t factors, const GradientEpilogue& epilogue) const {
  backward.add({.name = "guide backward",
                .operation = "guide_backward",
                .layer = layer(),
                .epilogue = epilogue},
               {grad_x, product, x}, [=, this](Backend& backend, const Schedule& s) {
                 backend.guide_backward(s[grad_x], s[product], s[x], state_[factors], epilogue);
               });
}

GradientTerm normalized(GradientTerm term, const kernels::GradientNorm& to, TensorId x) {
  return {term.layer, term.order,
          [term, to, x](Schedule& backward, TensorId grad_x, const GradientEpilogue& epilogue) {
            const Tensor& map = backward[x];
            const TensorId own = backward.temporary(map.shape, map.type);
            term.add(backward, own, {});
            backward.add({.name = "normalize gradient",
                          .operation = "normalize_gradient",
                          .layer = term.layer,
                          .epilogue = epilogue},
                         {grad_x, own, x}, [=](Backend& backend, const Schedule& s) {
                           backend.normalize_gradient(s[grad_x], s[own], s[x], to, epilogue);
                         });
          }};
}

}  // namespace impasto
