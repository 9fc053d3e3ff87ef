// SPDX-License-Identifier: MIT
#include "host/objective/terms.hpp"

namespace impasto {
ContentLossScale content_scale(const Objective& objective, double layer_weight,
                               const Shape& shape) {
  const double loss = objective.content_scale.at(shape.channels, shape.pixels());
  return {.loss = loss, .gradient = objective.content_weight * layer_weight * 2 * loss};
}

StyleLossScale style_scale(const Objective& objective, double layer_weight, const Shape& shape) {
  const double gram = objective.gram_scale.at(shape.channels, shape.pixels());
  const double loss = objective.style_scale.at(shape.channels, shape.pixels());
  return {.gram = gram,
          .loss = loss,
          .gradient = objective.style_weight * layer_weight * 4 * loss * gram};
}

VariationScale variation_scale(const Objective& objective, const Shape& pixels) {
  const double loss = objective.variation_scale.at(pixels.channels, pixels.pixels());
  return {.loss = loss, .gradient = objective.variation_weight * 2 * loss};
}

GradientTerm gradient_of(const ContentTerm& term) {
  return {term.layer, [term](Schedule& schedule, TensorId grad, TensorId features,
                             const GradientEpilogue& epilogue) {
            schedule.add({.name = "content loss",
                          .operation = "content_loss",
                          .layer = term.layer,
                          .epilogue = epilogue},
                         {grad, features}, [=](Backend& backend, const Schedule& s) {
                           backend.content_loss(term.loss, s[grad], s[features], term.target,
                                                term.scale, epilogue);
                         });
          }};
}

void add_content_loss(Schedule& schedule, const ContentTerm& term, TensorId features) {
  schedule.add({.name = "content loss", .operation = "content_loss", .layer = term.layer},
               {features}, [=](Backend& backend, const Schedule& s) {
                 backend.content_loss(term.loss, {}, s[features], term.target, term.scale, {});
               });
}

GradientTerm add_style_loss(Schedule& schedule, const StyleTerm& term, TensorId features) {
  const Shape square = matrix_shape(schedule[features].shape.batch, term.target.shape.channels);
  const TensorId matrix = schedule.temporary(square, term.target.type);
  schedule.add({.name = "style loss", .operation = "gram_loss", .layer = term.layer},
               {matrix, features}, [=](Backend& backend, const Schedule& s) {
                 backend.gram_loss(term.loss, s[matrix], s[features], term.target, term.scale);
               });
  return {term.layer, [layer = term.layer, matrix](Schedule& s, TensorId grad, TensorId map,
                                                   const GradientEpilogue& epilogue) {
            s.add({.name = "style backward",
                   .operation = "style_backward",
                   .layer = layer,
                   .epilogue = epilogue},
                  {grad, map, matrix}, [=](Backend& backend, const Schedule& bound) {
                    backend.style_backward(bound[grad], bound[map], bound[matrix], epilogue);
                  });
          }};
}

}  // namespace impasto
