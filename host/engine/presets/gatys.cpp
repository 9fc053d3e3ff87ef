// SPDX-License-Identifier: MIT
#include "host/engine/presets/presets.hpp"

namespace impasto::presets {

/// Gatys' PyTorch notebook (github.com/leongatys/PytorchNeuralStyleTransfer): mean squared errors, of
/// the content with weight 1, of the Gram matrices F·Fᵀ/P with 10³/C²; L-BFGS from the content.
Config gatys() {
  Config config;
  const auto style_weight = [](double channels) { return 1e3 / (channels * channels); };
  config.objective = {
      .losses = {ContentLoss{{.name = "content", .weight = 1, .layers = {{"conv4_2", 1}}},
                             mean_of_map},
                 GramLoss{{.name = "style",
                           .weight = 1,
                           .layers = {{"conv1_1", style_weight(64)},
                                      {"conv2_1", style_weight(128)},
                                      {"conv3_1", style_weight(256)},
                                      {"conv4_1", style_weight(512)},
                                      {"conv5_1", style_weight(512)}}},
                          per_pixel,
                          mean_of_matrix},
                 no_variation()},
      .pool = {kernels::PoolMode::max, kernels::PoolRounding::down},
      .several_styles = SeveralStyles::sum_of_losses};
  config.optimizer = default_lbfgs_of_pytorch();
  config.iterations = 500;
  config.size = 512;
  config.init = Init::content;
  return config;
}

}  // namespace impasto::presets
