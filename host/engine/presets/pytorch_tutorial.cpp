// SPDX-License-Identifier: MIT
#include "host/engine/presets/presets.hpp"

namespace impasto::presets {

/// "Neural Transfer Using PyTorch": the first five convolutions, seen before their ReLUs; L-BFGS on
/// pixels of 0 to 1, which are clamped before each evaluation. It is made for torchvision's weights.
Config pytorch_tutorial() {
  Config config;
  config.objective = {.losses = {ContentLoss{{.name = "content",
                                              .weight = 1,
                                              .layers = {{"conv2_2", 1}},
                                              .before_relu = true},
                                             mean_of_map},
                                 GramLoss{{.name = "style",
                                           .weight = 1e6,
                                           .layers = {{"conv1_1", 1},
                                                      {"conv1_2", 1},
                                                      {"conv2_1", 1},
                                                      {"conv2_2", 1},
                                                      {"conv3_1", 1}},
                                           .before_relu = true},
                                          per_value,
                                          mean_of_matrix},
                                 no_variation()},
                      .pool = {kernels::PoolMode::max, kernels::PoolRounding::down}};
  config.optimizer = default_lbfgs_of_pytorch(1 / 255.0);
  config.box = Box::evaluation;
  config.iterations = 300;
  config.size = 512;
  config.init = Init::content;
  return config;
}

}  // namespace impasto::presets
