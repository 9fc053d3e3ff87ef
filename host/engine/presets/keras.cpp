// SPDX-License-Identifier: MIT
#include "host/engine/presets/presets.hpp"

namespace impasto::presets {

/// "Neural style transfer" of the Keras documentation: sums of squares, of Gram matrices divided by
/// 6 times the number of the picture's pixels, Σ (d² + r²)^1.25, and gradient descent with a rate that
/// falls by 4 % in 100 steps.
///
/// A pool quarters the pixels, so a matrix divided by those of its own map is 4 times as large behind
/// each: the weight of its layer makes up for that with 1/16.
Config keras() {
  Config config;
  config.objective = {
      .losses = {ContentLoss{{.name = "content", .weight = 2.5e-8, .layers = {{"conv5_2", 1}}}, {}},
                 GramLoss{{.name = "style",
                           .weight = 1e-6,
                           .layers = {{"conv1_1", 0.2},
                                      {"conv2_1", 0.2 / 16},
                                      {"conv3_1", 0.2 / 256},
                                      {"conv4_1", 0.2 / 4096},
                                      {"conv5_1", 0.2 / 65536}}},
                          per_pixel,
                          {.factor = 1 / 36.0}},
                 TotalVariationLoss{
                     {.name = "tv", .weight = 1e-6}, {}, kernels::VariationForm::power, 2.5}},
      .pool = {kernels::PoolMode::max, kernels::PoolRounding::down}};
  config.optimizer = DescentOptions{.learning_rate = 100, .decay = {0.96, 100}};
  config.iterations = 4000;
  config.size = 400;
  config.init = Init::content;
  return config;
}

}  // namespace impasto::presets
