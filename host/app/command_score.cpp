// SPDX-License-Identifier: MIT
#include "host/app/command_score.hpp"

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "host/app/commands.hpp"
#include "host/app/describe.hpp"
#include "host/app/failure.hpp"
#include "host/app/inputs.hpp"
#include "host/app/settings.hpp"
#include "host/app/terminal.hpp"
#include "host/engine/quality.hpp"
#include "host/engine/stylizer.hpp"
#include "weights/known_files.hpp"
#include "weights/weights_file.hpp"

namespace impasto::app {
namespace {

constexpr auto score_examples = R"(Example:
  impasto score out.png --content photo.jpg --style starry_night.jpg

The content is brought to the picture's size. The result is one line of JSON: the
losses, and under "quality" what no run minimises.)";

/// Why there is no E statistic with this network; empty where there is.
std::string why_no_e(const Settings& settings) {
  constexpr std::string_view fitted =
      "no E statistic: it was fitted to people's judgments with the VGG-19 that Simonyan and "
      "Zisserman published";
  if (!settings.weights) return fmt::format("{}, this is the built-in network", fitted);
  const WeightsReader reader(*settings.weights);
  const NetworkTraits& header = reader.header();
  const KnownFile* known = find_known_file(header.origin.source_sha256, header.origin.source_md5);
  const bool theirs = known != nullptr && known->licence == vgg_licence;
  if (theirs && header.layers == &vgg19) return {};
  return fmt::format("{}, this is {}", fitted, header.description);
}

/// Where the picture and the styles can be looked at: the network has those layers, and pooling leaves
/// something of each picture.
QualityLayers layers_to_see(const Settings& settings, bool with_e, const Image& image,
                            std::span<const Style> styles) {
  std::vector<const VggLayer*> there = network_layers(settings).convs();
  if (settings.weights) {
    const WeightsReader reader(*settings.weights);
    there.assign(reader.layers().begin(), reader.layers().end());
  }
  const Network planned(network_layers(settings), settings.config.objective.pool);
  const auto is_large_enough = [&](const Image& picture, std::size_t layer) {
    try {
      static_cast<void>(planned.feature_shape(pixel_shape(std::span(&picture, 1)), layer));
      return true;
    } catch (const Error&) {
      return false;
    }
  };
  return layers_of_quality(settings.config.objective, with_e, [&](std::string_view name) {
    if (std::ranges::find(there, name, &VggLayer::name) == there.end()) return false;
    const std::size_t layer = planned.layers().index(name);
    return is_large_enough(image, layer) && std::ranges::all_of(styles, [&](const Style& style) {
             return is_large_enough(style.image, layer);
           });
  });
}

}  // namespace

Json score_of(const Settings& settings) {
  require_fit(settings);
  const std::unique_ptr<Backend> backend = open_backend(settings);
  const Image image = load_picture(settings.image, settings.size);
  const Image content = load_picture_like(settings.content, image);
  const std::int64_t style_size = settings.style_size.value_or(std::max(image.height, image.width));
  const std::vector<Style> styles = load_styles(settings, style_size, content);
  if (!settings.quiet) {
    say_notes(image);
    say_notes(content);
    for (const Style& style : styles) say_notes(style.image);
  }

  const Objective& objective = settings.config.objective;
  const std::string no_e = why_no_e(settings);
  const QualityLayers seen = layers_to_see(settings, no_e.empty(), image, styles);
  const VggLayers& layers = network_layers(settings);
  std::size_t deepest = deepest_layer(objective, layers);
  for (const auto* list : {&seen.content, &seen.held_out, &seen.e}) {
    for (const std::string& layer : *list) deepest = std::max(deepest, layers.index(layer));
  }
  Weights weights = open_weights(settings, *backend, layers[deepest].name);
  Session session(*backend, std::move(weights), objective.pool, deepest, objective.padding,
                  objective.input_scale);
  const Losses losses = score(session, settings.config, image, content, styles);
  if (!losses.finite()) refuse_infinite_losses(settings.image);
  Json result = describe(losses);
  result["quality"] = describe(assess(session, seen, image, content, styles));
  if (!no_e.empty() && !settings.quiet) message("note: {}\n", no_e);
  if (objective.guided && !settings.quiet) {
    message("note: masks count in the losses; the measures of quality are of whole pictures\n");
  }
  return result;
}

void add_score_command(CLI::App& program) {
  add_command(program,
              {.name = "score",
               .summary = "Say how good any picture is, as JSON on stdout",
               .example = "impasto score out.png --content photo.jpg --style style.jpg",
               .footer = score_examples},
              [](const Settings& settings) { print_result(dump(score_of(settings)) + "\n"); });
}

}  // namespace impasto::app
