// SPDX-License-Identifier: MIT
#include "host/engine/presets/presets.hpp"

namespace impasto::presets {

/// crowsonkb/style-transfer-pytorch: a Wasserstein-2 style loss, total variation to all eight
/// neighbours, the picture continued by its border, Adam on pixels of 0 to 1 that stay there, and the
/// mean of the iterates, at sizes that grow by √2. In pixels of 0 to 255 its rate of 0.02 is 5.1, its ε
/// of 1e-8 is 1e-8/255, and the square of a difference is 1/255² of ours. It is made for torchvision's
/// weights.
Config style_transfer_pytorch() {
  constexpr double layers = 256 + 64 + 16 + 4 + 1;
  Config config;
  config.objective = {
      .losses = {ContentLoss{{.name = "content", .weight = 0.015, .layers = {{"conv4_2", 1}}},
                             mean_of_map},
                 WassersteinLoss{{.name = "style",
                                  .weight = 1,
                                  .layers = {{"conv1_1", 256 / layers},
                                             {"conv2_1", 64 / layers},
                                             {"conv3_1", 16 / layers},
                                             {"conv4_1", 4 / layers},
                                             {"conv5_1", 1 / layers}}},
                                 {.factor = 1, .channel_power = 1}},
                 TotalVariationLoss{{.name = "tv", .weight = 2},
                                    {.factor = 2 / (255.0 * 255.0)},
                                    kernels::VariationForm::nine_point}},
      .pool = {kernels::PoolMode::max, kernels::PoolRounding::down},
      .padding = Padding::replicate};
  config.optimizer = AdamOptions{.learning_rate = 0.02 * 255, .beta2 = 0.99, .epsilon = 1e-8 / 255};
  config.box = Box::step;
  config.average = 0.99;
  config.size = 512;
  config.scales = {.count = 5, .ratio = std::numbers::sqrt2};
  config.iterations = 3000;
  config.init = Init::content;
  return config;
}

}  // namespace impasto::presets
