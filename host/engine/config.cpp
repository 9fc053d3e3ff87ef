// SPDX-License-Identifier: MIT
#include "host/engine/config.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "host/core/error.hpp"
#include "host/core/suggest.hpp"
#include "host/engine/presets/presets.hpp"

namespace impasto {
namespace {

/// What both of ours have: losses that are means, so that weights keep their meaning at any size,
/// from the content in the style's colours, coarse to fine, by L-BFGS
/// (docs/decisions/0021-coarse-to-fine.md).
Config coarse_to_fine(double content_weight, std::vector<LayerWeight> content_layers,
                      std::vector<LayerWeight> style_layers, double tv_weight) {
  Config config;
  config.objective.losses = {
      ContentLoss{
          {.name = "content", .weight = content_weight, .layers = std::move(content_layers)},
          {.factor = 1, .channel_power = 1, .pixel_power = 1}},
      GramLoss{{.name = "style", .weight = 1, .layers = std::move(style_layers)},
               {.factor = 1, .channel_power = 0, .pixel_power = 1},
               {.factor = 1, .channel_power = 2, .pixel_power = 0}},
      TotalVariationLoss{{.name = "tv", .weight = tv_weight},
                         {.factor = 1, .channel_power = 1, .pixel_power = 1}}};
  config.objective.padding = Padding::replicate;
  config.objective.pool = {kernels::PoolMode::average, kernels::PoolRounding::up};
  config.optimizer = LbfgsOptions{.history = 10, .reach = 3};
  config.iterations = 160;
  config.scales = {.count = 2, .ratio = 2, .iteration_ratio = 0.5, .detail = 1};
  config.box = Box::step;
  config.size = 512;
  config.init = Init::recoloured;
  return config;
}

/// For the built-in network: shallow layers, because its deeper ones add noise and no style
/// (docs/decisions/0006-default-preset.md).
Config impasto_default() {
  return coarse_to_fine(2, {{"conv3_1", 1}}, {{"conv1_1", 0.2}, {"conv2_1", 0.4}, {"conv3_1", 0.4}},
                        0.4);
}

/// For networks that were trained on pixels of deviation 1, as torchvision's are and those made from
/// them. A layer's weight makes up for the size of its activations, which differ by a factor of a
/// hundred from conv3_1 to conv4_1. Average pooling, whatever the network was trained with: the
/// gradient of a maximum falls on single pixels and embosses them.
Config trained() {
  Config config = coarse_to_fine(
      0.1, {{"conv4_2", 1}},
      {{"conv1_1", 40000}, {"conv2_1", 2000}, {"conv3_1", 24000}, {"conv4_1", 200}}, 1e-6);
  config.keeps_pool = true;
  return config;
}

struct Preset {
  std::string_view name;
  Config (*make)();
  bool divided = false;  ///< for networks that see pixels divided by their deviation
};

/// Every preset: ours, the default first, and then those of other systems.
constexpr std::array<Preset, 13> all_presets = {
    {{"impasto", impasto_default},
     {"trained", trained, true},
     {"gatys", presets::gatys},
     {"coursera", presets::coursera},
     {"neural-style", presets::neural_style},
     {"neural-style-pt", presets::neural_style_pt},
     {"pytorch-tutorial", presets::pytorch_tutorial, true},
     {"keras", presets::keras},
     {"tensorflow", presets::tensorflow},
     {"anishathalye", presets::anishathalye},
     {"cysmith", presets::cysmith},
     {"spst", presets::spst},
     {"style-transfer-pytorch", presets::style_transfer_pytorch, true}}};

bool divides(const NetworkTraits& network) { return network.deviation[0] > 1; }

}  // namespace

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const Preset& each : all_presets) names.emplace_back(each.name);
  return names;
}

std::string_view preset_for(const NetworkTraits& network) {
  return divides(network) ? "trained" : "impasto";
}

bool suits(std::string_view preset, const NetworkTraits& network) {
  const auto* const found = std::ranges::find(all_presets, preset, &Preset::name);
  return found == all_presets.end() || found->divided == divides(network);
}

Config preset(std::string_view name) {
  for (const Preset& each : all_presets) {
    if (each.name != name) continue;
    Config config = each.make();
    config.preset = each.name;
    return config;
  }
  fail(ErrorKind::usage, "unknown preset '{}': expected {}", name, one_of(preset_names()));
}

}  // namespace impasto
