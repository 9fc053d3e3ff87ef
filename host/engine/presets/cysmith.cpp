// SPDX-License-Identifier: MIT
#include "host/engine/presets/presets.hpp"

namespace impasto::presets {

/// cysmith/neural-style-tf: Gatys' style loss, divided by the number of layers, a content loss of
/// Σ / (2·√C·√P) before the ReLU, a sum of absolute differences, and average pools. The system
/// minimises with SciPy's L-BFGS-B, which searches along a line; ours takes PyTorch's steps.
Config cysmith() {
  Config config;
  config.objective = {
      .losses =
          {ContentLoss{
               {.name = "content", .weight = 5, .layers = {{"conv4_2", 1}}, .before_relu = true},
               {.factor = 0.5, .channel_power = 0.5, .pixel_power = 0.5}},
           GramLoss{{.name = "style", .weight = 1e4, .layers = first_of_each_block(0.2 / 5)},
                    per_pixel,
                    {.factor = 0.25, .channel_power = 2}},
           TotalVariationLoss{
               {.name = "tv", .weight = 1e-3}, {}, kernels::VariationForm::absolute}},
      .pool = {kernels::PoolMode::average, kernels::PoolRounding::up},
      .several_styles = SeveralStyles::mean_of_losses};
  config.optimizer = LbfgsOptions{};
  config.iterations = 1000;
  config.size = 512;
  config.init = Init::content;
  return config;
}

}  // namespace impasto::presets
