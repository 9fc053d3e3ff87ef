// SPDX-License-Identifier: MIT
#include "host/terms/objective.hpp"

#include <algorithm>
#include <cmath>

#include "host/core/error.hpp"
#include "host/model/activation_scale.hpp"
#include "host/model/vgg.hpp"

namespace impasto {
namespace {

void check_weight(double weight, std::string_view what) {
  if (!std::isfinite(weight) || weight < 0) {
    fail(ErrorKind::usage, "{}: expected a weight of 0 or more, found {}", what, weight);
  }
}

void check_layers(const Loss& loss, const VggLayers& layers) {
  for (auto layer = loss.layers.begin(); layer != loss.layers.end(); ++layer) {
    const std::size_t index = layers.index(layer->layer);
    check_weight(layer->weight, layer->layer);
    const bool repeated = std::any_of(loss.layers.begin(), layer, [&](const LayerWeight& earlier) {
      return layers.index(earlier.layer) == index;
    });
    if (repeated) fail(ErrorKind::usage, "{} layer {} is given twice", loss.name, layer->layer);
  }
}

/// Whether minimising it changes anything.
bool counts(const AnyLoss& any) {
  const Loss& loss = common(any);
  return loss.weight > 0 &&
         (of_pixels(any) || std::any_of(loss.layers.begin(), loss.layers.end(),
                                        [](const LayerWeight& layer) { return layer.weight > 0; }));
}

/// w·ĝ / (‖ĝ‖₁ + 1e-8) of a gradient g = w·ĝ that has its weight. One without weight stays 0.
kernels::GradientNorm norm_for(double weight) {
  return {.norm = weight, .least = weight > 0 ? 1e-8 * weight : 1};
}

std::unique_ptr<Term> make_term(const AnyLoss& any, const TermPlace& place) {
  return std::visit([&](const auto& loss) { return loss.make_term(place); }, any);
}

}  // namespace

const Loss& common(const AnyLoss& any) {
  return std::visit([](const auto& loss) -> const Loss& { return loss; }, any);
}

bool of_pixels(const AnyLoss& any) {
  return std::visit([](const auto& loss) { return loss.of_pixels; }, any);
}

bool of_style(const AnyLoss& any) {
  return !of_pixels(any) && !std::holds_alternative<ContentLoss>(any);
}

const Loss& Objective::operator[](std::string_view name) const {
  for (const AnyLoss& loss : losses) {
    if (common(loss).name == name) return common(loss);
  }
  fail(ErrorKind::internal, "the objective has no loss '{}'", name);
}

Loss& Objective::operator[](std::string_view name) {
  return const_cast<Loss&>(std::as_const(*this)[name]);
}

std::optional<Normaliser> Objective::normaliser(std::string_view name) const {
  for (const AnyLoss& any : losses) {
    for (const NamedNormaliser& normaliser :
         std::visit([](const auto& loss) { return loss.normalisers(); }, any)) {
      if (normaliser.name == name) return normaliser.value;
    }
  }
  return std::nullopt;
}

void check(const Objective& objective, const VggLayers& layers) {
  bool any_layer = false;
  for (const AnyLoss& any : objective.losses) {
    const Loss& loss = common(any);
    check_weight(loss.weight, loss.name + " weight");
    check_layers(loss, layers);
    any_layer = any_layer || !loss.layers.empty();
  }
  if (!any_layer) fail(ErrorKind::usage, "nothing to minimise: expected at least one layer");
  if (std::none_of(objective.losses.begin(), objective.losses.end(), counts)) {
    fail(ErrorKind::usage, "nothing to minimise: every weight is 0");
  }
}

bool see_alike(const Objective& one, const Objective& other) {
  return one.pool == other.pool && one.padding == other.padding &&
         one.input_scale == other.input_scale;
}

std::size_t deepest_layer(const Objective& objective, const VggLayers& layers) {
  std::size_t deepest = 0;
  for (const AnyLoss& loss : objective.losses) {
    for (const LayerWeight& layer : common(loss).layers) {
      deepest = std::max(deepest, layers.index(layer.layer));
    }
  }
  return deepest;
}

std::vector<std::unique_ptr<Term>> make_terms(const Objective& objective, const Network& network,
                                              const Shape& pixels, const TermNumbers& numbers) {
  check(objective, network.layers());
  std::vector<std::unique_ptr<Term>> terms;
  for (const AnyLoss& any : objective.losses) {
    const Loss& loss = common(any);
    const double weight =
        loss.weight * numbers.gradient_scale * (of_style(any) ? numbers.style_share : 1);
    const bool adds_losses =
        !objective.guided && objective.several_styles != SeveralStyles::mean_of_targets;
    const bool divides = adds_losses && objective.several_styles == SeveralStyles::mean_of_losses;
    TermPlace place{.shape = pixels,
                    .rows = {0, pixels.height},
                    .gradient_weight = weight,
                    .activations = numbers.activations,
                    .master = numbers.master,
                    .guided_styles = objective.guided ? numbers.styles : 0,
                    .adds_styles = adds_losses && numbers.styles > 1,
                    .loss_share = divides ? 1 / static_cast<double>(numbers.styles) : 1,
                    .files = numbers.files};
    if (of_pixels(any)) {
      terms.push_back(make_term(any, place));
      continue;
    }
    for (const LayerWeight& layer : loss.layers) {
      const std::size_t index = network.layers().index(layer.layer);
      place.layer = &network.layers()[index];
      place.before_relu = loss.before_relu && place.layer->kind == conv_kind;
      place.shape = network.feature_shape(pixels, index);
      place.rows = numbers.rows ? numbers.rows(index) : Rows{0, place.shape.height};
      place.gradient_weight = weight * layer.weight;
      if (objective.normalize_gradients) {
        // By what the map holds a gradient is larger, as much as gradient_scale is smaller; the norm
        // takes the one away, so the other must go as well.
        place.norm = norm_for(place.gradient_weight / activation_scale(numbers.activations));
      }
      terms.push_back(make_term(any, place));
    }
  }
  return terms;
}

const Losses::Part& Losses::operator[](std::string_view name) const {
  for (const Part& part : parts) {
    if (part.name == name) return part;
  }
  fail(ErrorKind::internal, "there is no loss '{}'", name);
}

bool Losses::finite() const {
  return std::isfinite(total) && std::all_of(parts.begin(), parts.end(), [](const Part& part) {
           return std::isfinite(part.value);
         });
}

bool all_finite(std::span<const Losses> pictures) {
  return std::all_of(pictures.begin(), pictures.end(),
                     [](const Losses& losses) { return losses.finite(); });
}

Losses name_losses(const Objective& objective, std::span<const float> terms) {
  Losses losses;
  auto next = terms.begin();
  for (const AnyLoss& any : objective.losses) {
    const Loss& loss = common(any);
    Losses::Part part{.name = loss.name, .of_pixels = of_pixels(any)};
    if (part.of_pixels) part.value = static_cast<double>(*next++);
    for (const LayerWeight& layer : loss.layers) {
      const auto term = static_cast<double>(*next++);
      part.layers.emplace_back(vgg_layer_name(layer.layer), term);
      part.value += layer.weight * term;
    }
    part.weighted = loss.weight * part.value;
    if (loss.in_total) losses.total += part.weighted;
    losses.parts.push_back(std::move(part));
  }
  return losses;
}

std::vector<double> weights_in_total(const Objective& objective) {
  std::vector<double> weights;
  for (const AnyLoss& any : objective.losses) {
    const Loss& loss = common(any);
    const double weight = loss.in_total ? loss.weight : 0;
    if (of_pixels(any)) weights.push_back(weight);
    for (const LayerWeight& layer : loss.layers) weights.push_back(weight * layer.weight);
  }
  return weights;
}

std::size_t count_terms(const Objective& objective) { return weights_in_total(objective).size(); }

std::vector<float> terms_of(const Losses& losses) {
  std::vector<float> terms;
  for (const Losses::Part& part : losses.parts) {
    if (part.of_pixels) terms.push_back(static_cast<float>(part.value));
    for (const auto& [layer, term] : part.layers) terms.push_back(static_cast<float>(term));
  }
  return terms;
}

}  // namespace impasto
