// SPDX-License-Identifier: MIT
#include "host/app/measures.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <vector>

#include "host/api/engine.hpp"
#include "weights/known_files.hpp"
#include "weights/weights_file.hpp"

namespace impasto::app {
namespace {

std::string why_no_e(const std::optional<std::string>& weights) {
  constexpr std::string_view fitted =
      "no E statistic: it was fitted to people's judgments with the VGG-19 that Simonyan and "
      "Zisserman published";
  if (!weights) return fmt::format("{}, this is the built-in network", fitted);
  const WeightsReader reader(*weights);
  const NetworkTraits& header = reader.header();
  const KnownFile* known = find_known_file(header.origin.source_sha256, header.origin.source_md5);
  const bool theirs = known != nullptr && known->licence == vgg_licence;
  if (theirs && header.layers == &vgg19) return {};
  return fmt::format("{}, this is {}", fitted, header.description);
}

}  // namespace

Measures measures_of(const std::optional<std::string>& weights, const Objective& objective,
                     const Image& image, std::span<const Style> styles) {
  const VggLayers& layers = *network_of(weights).layers;
  std::vector<const VggLayer*> there = layers.convs();
  if (weights) {
    const WeightsReader reader(*weights);
    there.assign(reader.layers().begin(), reader.layers().end());
  }
  const Network planned(layers, objective.pool);
  const auto is_large_enough = [&](const Image& picture, std::size_t layer) {
    try {
      static_cast<void>(planned.feature_shape(pixel_shape(std::span(&picture, 1)), layer));
      return true;
    } catch (const Error&) {
      return false;
    }
  };
  Measures measures;
  measures.why_no_e = why_no_e(weights);
  measures.layers =
      layers_of_quality(objective, measures.why_no_e.empty(), [&](std::string_view name) {
        if (std::ranges::find(there, name, &VggLayer::name) == there.end()) return false;
        const std::size_t layer = layers.index(name);
        return is_large_enough(image, layer) &&
               std::ranges::all_of(
                   styles, [&](const Style& style) { return is_large_enough(style.image, layer); });
      });
  std::size_t deepest = deepest_layer(objective, layers);
  for (const auto* list :
       {&measures.layers.content, &measures.layers.held_out, &measures.layers.e}) {
    for (const std::string& layer : *list) deepest = std::max(deepest, layers.index(layer));
  }
  measures.deepest = layers[deepest].name;
  return measures;
}

}  // namespace impasto::app
