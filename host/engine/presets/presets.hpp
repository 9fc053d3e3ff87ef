// SPDX-License-Identifier: MIT
#pragma once

#include <numbers>

#include "host/engine/config.hpp"

/// The presets that reproduce other systems, a file for each family. docs/presets.md has their formulas
/// and says what differs; tests/host/engine/presets_test.cpp compares losses, gradients and the first
/// iterations with PyTorch.
namespace impasto::presets {

Config coursera();
Config gatys();
Config neural_style();
Config neural_style_pt();
Config pytorch_tutorial();
Config keras();
Config tensorflow();
Config anishathalye();
Config cysmith();
Config spst();
Config style_transfer_pytorch();

// The scales that most of them have.

/// Σ over a feature map as a mean of its C·P values.
inline constexpr Normaliser mean_of_map{.factor = 1, .channel_power = 1, .pixel_power = 1};
/// Σ over a Gram matrix as a mean of its C² values.
inline constexpr Normaliser mean_of_matrix{.factor = 1, .channel_power = 2, .pixel_power = 0};
/// Gram matrices divided by the number of pixels, or of values.
inline constexpr Normaliser per_pixel{.factor = 1, .channel_power = 0, .pixel_power = 1};
inline constexpr Normaliser per_value = mean_of_map;
/// A total variation that is computed but does not count.
inline TotalVariationLoss no_variation() {
  return {{.name = "tv", .weight = 0}, {.factor = 1, .channel_power = 1, .pixel_power = 1}};
}

/// conv1_1, conv2_1, conv3_1, conv4_1 and conv5_1, each with the same weight.
inline std::vector<LayerWeight> first_of_each_block(double weight) {
  return {{"conv1_1", weight},
          {"conv2_1", weight},
          {"conv3_1", weight},
          {"conv4_1", weight},
          {"conv5_1", weight}};
}

/// The amplitude of uniform noise that has the deviation of the normal noise others begin with.
inline constexpr double amplitude_for(double deviation) { return std::numbers::sqrt3 * deviation; }

/// torch.optim.LBFGS as it is by default, whose step() is called again and again; what it optimises is
/// `unit` times the pixels.
inline LbfgsOptions default_lbfgs_of_pytorch(double unit = 1) {
  return {.unit = unit, .tolerance_grad = 1e-7, .tolerance_change = 1e-9, .call_steps = 20};
}

}  // namespace impasto::presets
