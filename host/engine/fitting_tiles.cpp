// SPDX-License-Identifier: MIT
#include "host/engine/fitting_tiles.hpp"

#include <algorithm>

#include "host/engine/plan.hpp"

namespace impasto {
namespace {

std::size_t mebibytes_up(std::size_t bytes) { return (bytes + (1U << 20U) - 1) >> 20U; }

}  // namespace

FittingTiles fitting_tiles(Backend& backend, const Network& network, const Config& config,
                           const Shape& pixels, const std::vector<Shape>& styles) {
  if (config.memory == 0) return {};
  const std::size_t parameters =
      parameter_bytes(network.layers(), deepest_layer(config.objective, network.layers()),
                      backend.activation_type());
  const std::vector<TileSize> sizes = tile_sizes(pixels, styles);
  std::size_t workspace = 0;  // as far as it is known
  const auto bytes_with = [&](std::size_t i) {
    const Plan plan(network, config, pixels, backend.master_type(), backend.activation_type(),
                    styles, sizes[i]);
    return parameters + plan.bytes() + workspace;
  };
  std::size_t first = 0;  // that may fit
  for (;;) {
    // Sizes shrink, and what they take with them.
    std::size_t last = sizes.size();
    if (bytes_with(first) <= config.memory) last = first;
    while (first < last) {
      const std::size_t middle = (first + last) / 2;
      bytes_with(middle) <= config.memory ? last = middle : first = middle + 1;
    }
    if (first == sizes.size()) {
      // Of a small picture the tiles with their halos may take more than it does as a whole.
      const std::size_t least = bytes_with(0) < bytes_with(sizes.size() - 1) ? 0 : sizes.size() - 1;
      return {
          sizes[least],
          fmt::format("{} MiB do not suffice for a picture of {}×{}: {}it needs {} MiB",
                      config.memory >> 20U, pixels.width, pixels.height,
                      least > 0 ? "in the smallest tiles " : "", mebibytes_up(bytes_with(least)))};
    }
    Plan plan(network, config, pixels, backend.master_type(), backend.activation_type(), styles,
              sizes[first]);
    plan.prepare(backend);
    if (parameters + plan.bytes() <= config.memory) return {sizes[first], {}};
    workspace = std::max(workspace, plan.workspace_bytes());
    ++first;
    if (first == sizes.size()) --first;
  }
}

}  // namespace impasto
