// SPDX-License-Identifier: MIT
#include "host/engine/presets/presets.hpp"

namespace impasto::presets {

/// The programming assignment of Coursera's "Convolutional Neural Networks" (2017), exactly:
/// J = 10·Σ(a_C−a_G)²/(4·C·P) + 40·Σ_l 0.2·Σ(G_S−G_G)²/(4·C²·P²), 400×300, TensorFlow's Adam
/// at 2.0. The Gram matrices are divided by P and the loss by 4·C² alone: the same number while
/// content and style have one size, as they do there, and a meaningful one when they do not.
Config coursera() {
  Config config;
  config.objective = {
      .losses = {ContentLoss{{.name = "content", .weight = 10, .layers = {{"conv4_2", 1}}},
                             {.factor = 0.25, .channel_power = 1, .pixel_power = 1}},
                 GramLoss{{.name = "style", .weight = 40, .layers = first_of_each_block(0.2)},
                          per_pixel,
                          {.factor = 0.25, .channel_power = 2, .pixel_power = 0}},
                 no_variation()},
      .pool = {kernels::PoolMode::average, kernels::PoolRounding::up}};
  config.optimizer = AdamOptions{.learning_rate = 2.0, .form = kernels::AdamEpsilon::tensorflow};
  config.iterations = 200;
  config.size = 400;
  config.init = Init::mix;
  config.noise_ratio = 0.6;
  config.noise_amplitude = 20;
  return config;
}

}  // namespace impasto::presets
