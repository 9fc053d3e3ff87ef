// SPDX-License-Identifier: MIT
#include "host/engine/presets/presets.hpp"

namespace impasto::presets {

/// "Scaling Painting Style Transfer" (arXiv:2212.13459), its fast schedule: Gatys' notebook with means
/// and deviations of channels beside the Gram matrices, at scales that double from 512 pixels on, each
/// with a third of the iterations of the one before.
Config spst() {
  Config config = gatys();
  StatisticsLoss statistics{{.name = "statistics", .weight = 1e4, .layers = first_of_each_block(1)},
                            {.factor = 1, .channel_power = 1}};
  config.objective.losses.insert(config.objective.losses.end() - 1, std::move(statistics));
  config.size = 2048;
  config.scales = {.count = 3, .ratio = 2, .iteration_ratio = 1.0 / 3};
  config.iterations = 600 + 200 + 66;
  return config;
}

}  // namespace impasto::presets
