// SPDX-License-Identifier: MIT
#include "host/objective/terms.hpp"

#include <string>

namespace impasto {
namespace {

std::string label(std::size_t layer, std::string_view what) {
  return std::string(vgg19[layer].name) + " " + std::string(what);
}

}  // namespace

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
  return {term.layer,
          [term](Schedule& schedule, Value grad, Value features, const GradientEpilogue& epilogue) {
            schedule.add(label(term.layer, "content loss"), {grad, features},
                         [=](Backend& backend, const Schedule& s) {
                           backend.content_loss(term.loss, s[grad], s[features], term.target,
                                                term.scale, epilogue);
                         });
          }};
}

void add_content_loss(Schedule& schedule, const ContentTerm& term, Value features) {
  schedule.add(label(term.layer, "content loss"), {features},
               [=](Backend& backend, const Schedule& s) {
                 backend.content_loss(term.loss, {}, s[features], term.target, term.scale, {});
               });
}

GradientTerm add_style_loss(Schedule& schedule, const StyleTerm& term, Value features) {
  const Shape square = matrix_shape(schedule[features].shape.batch, term.target.shape.channels);
  const Value matrix = schedule.temporary(square, term.target.type);
  schedule.add(label(term.layer, "style loss"), {matrix, features},
               [=](Backend& backend, const Schedule& s) {
                 backend.gram_loss(term.loss, s[matrix], s[features], term.target, term.scale);
               });
  return {term.layer, [layer = term.layer, matrix](Schedule& s, Value grad, Value map,
                                                   const GradientEpilogue& epilogue) {
            s.add(label(layer, "style backward"), {grad, map, matrix},
                  [=](Backend& backend, const Schedule& bound) {
                    backend.style_backward(bound[grad], bound[map], bound[matrix], epilogue);
                  });
          }};
}

}  // namespace impasto
