// SPDX-License-Identifier: MIT
#include "host/engine/presets/presets.hpp"

namespace impasto::presets {

namespace {

/// What the Lua program and its port to PyTorch have in common: means of squares, Gram matrices
/// divided by C·P, L-BFGS without a line search from noise about the mean pixel.
Config common() {
  Config config;
  config.objective = {
      .losses = {ContentLoss{{.name = "content", .weight = 5, .layers = {{"conv4_2", 1}}},
                             mean_of_map},
                 GramLoss{{.name = "style", .weight = 100, .layers = first_of_each_block(1)},
                          per_value,
                          mean_of_matrix},
                 TotalVariationLoss{{.name = "tv", .weight = 1e-3}, {}}},
      .pool = {kernels::PoolMode::max, kernels::PoolRounding::down}};
  config.optimizer = LbfgsOptions{};
  config.iterations = 1000;
  config.size = 512;
  config.init = Init::random;
  return config;
}

TotalVariationLoss& variation(Config& config) {
  return std::get<TotalVariationLoss>(config.objective.losses.back());
}

}  // namespace

/// jcjohnson/neural-style. The network sees pixels of 0 to 256, and these are what is optimised; the
/// gradient of ½ Σ (d² + r²) is followed but not counted; Caffe's pools round up.
Config neural_style() {
  constexpr double scale = 256.0 / 255.0;
  Config config = common();
  config.objective.pool.rounding = kernels::PoolRounding::up;
  config.objective.input_scale = scale;
  variation(config).form = kernels::VariationForm::power;
  variation(config).scale.factor = 0.5 * scale * scale;
  variation(config).in_total = false;
  config.optimizer = LbfgsOptions{.unit = scale};
  config.noise_amplitude = amplitude_for(1e-3 / scale);
  return config;
}

/// ProGamerGov/neural-style-pt: pixels of 0 to 255, a sum of absolute differences that counts, and
/// PyTorch's pools, which round down.
Config neural_style_pt() {
  Config config = common();
  variation(config).form = kernels::VariationForm::absolute;
  config.noise_amplitude = amplitude_for(1e-3);
  return config;
}

}  // namespace impasto::presets
