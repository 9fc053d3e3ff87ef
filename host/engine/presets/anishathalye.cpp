// SPDX-License-Identifier: MIT
#include "host/engine/presets/presets.hpp"

namespace impasto::presets {

/// anishathalye/neural-style: means of squares, Gram matrices divided by C·P, the mean square of each
/// direction's differences, Adam in TensorFlow's form, from noise, at the content's own size.
Config anishathalye() {
  Config config;
  config.objective = {
      .losses = {ContentLoss{{.name = "content", .weight = 5, .layers = {{"conv4_2", 1}}},
                             mean_of_map},
                 GramLoss{{.name = "style", .weight = 500, .layers = first_of_each_block(0.2)},
                          per_value,
                          mean_of_matrix},
                 TotalVariationLoss{
                     {.name = "tv", .weight = 100}, {}, kernels::VariationForm::means}},
      .pool = {kernels::PoolMode::max, kernels::PoolRounding::up},
      .several_styles = SeveralStyles::sum_of_losses};
  config.optimizer = AdamOptions{.learning_rate = 10, .form = kernels::AdamEpsilon::tensorflow};
  config.iterations = 1000;
  config.size = 0;
  config.init = Init::random;
  config.noise_amplitude = amplitude_for(0.256);
  return config;
}

}  // namespace impasto::presets
