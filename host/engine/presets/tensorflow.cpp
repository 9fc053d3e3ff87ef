// SPDX-License-Identifier: MIT
#include "host/engine/presets/presets.hpp"

namespace impasto::presets {

/// "Neural style transfer" of the TensorFlow documentation, its run with total variation: means of
/// squares, and Adam in TensorFlow's form on pixels of 0 to 1, which stay there. In pixels of 0 to 255
/// its rate of 0.02 is 5.1, its ε of 0.1 is 0.1/255, and a difference is 1/255 of ours.
Config tensorflow() {
  Config config;
  config.objective = {
      .losses = {ContentLoss{{.name = "content", .weight = 1e4, .layers = {{"conv5_2", 1}}},
                             mean_of_map},
                 GramLoss{{.name = "style", .weight = 1e-2, .layers = first_of_each_block(0.2)},
                          per_pixel,
                          mean_of_matrix},
                 TotalVariationLoss{{.name = "tv", .weight = 30},
                                    {.factor = 1 / 255.0},
                                    kernels::VariationForm::absolute}},
      .pool = {kernels::PoolMode::max, kernels::PoolRounding::down}};
  config.optimizer = AdamOptions{.learning_rate = 0.02 * 255,
                                 .beta1 = 0.99,
                                 .epsilon = 0.1 / 255,
                                 .form = kernels::AdamEpsilon::tensorflow};
  config.box = Box::step;
  config.iterations = 1000;
  config.size = 512;
  config.init = Init::content;
  return config;
}

}  // namespace impasto::presets
