// SPDX-License-Identifier: MIT
#include "host/engine/fitting_tiles.hpp"

#include <algorithm>
#include <memory>

#include "host/engine/plan.hpp"

namespace impasto {
namespace {

/// Looks for tiles that fit.
class Search {
 public:
  Search(Backend& backend, const Network& network, const Config& config, const Shape& pixels,
         const std::vector<Shape>& styles)
      : backend_(backend),
        network_(network),
        config_(config),
        pixels_(pixels),
        styles_(styles),
        sizes_(tile_sizes(pixels, styles)),
        parameters_(parameter_bytes(network.layers(),
                                    deepest_layer(config.objective, network.layers()),
                                    backend.activation_type())) {}

  [[nodiscard]] FittingTiles run() {
    FittingTiles held = largest(false);
    if (held.shortage.empty()) return held;
    FittingTiles filed = largest(true);
    return filed.shortage.empty() || filed.least < held.least ? filed : held;
  }

 private:
  [[nodiscard]] std::unique_ptr<Plan> plan(std::size_t i, bool filed) const {
    return std::make_unique<Plan>(network_, config_, pixels_, backend_.master_type(),
                                  backend_.activation_type(), styles_, sizes_[i], nullptr, filed);
  }
  [[nodiscard]] std::size_t bytes_with(std::size_t i, bool filed) const {
    return parameters_ + plan(i, filed)->bytes() + workspace_;
  }

  /// The largest tiles that fit, else the least.
  [[nodiscard]] FittingTiles largest(bool filed) {
    const std::size_t end = sizes_.size();
    std::size_t first = filed ? 1 : 0;  // that may fit; only tiles leave anything to a file
    while (first < end) {
      // Sizes shrink, and what they take with them.
      std::size_t last = end;
      if (bytes_with(first, filed) <= config_.memory) last = first;
      while (first < last) {
        const std::size_t middle = (first + last) / 2;
        bytes_with(middle, filed) <= config_.memory ? last = middle : first = middle + 1;
      }
      if (first == end) break;
      const auto found = plan(first, filed);
      found->prepare(backend_);
      if (parameters_ + found->bytes() <= config_.memory) return {sizes_[first], filed};
      workspace_ = std::max(workspace_, found->workspace_bytes());
      ++first;
    }
    // Of a small picture the tiles with their halos may take more than it does as a whole.
    const std::size_t least =
        !filed && bytes_with(0, filed) < bytes_with(end - 1, filed) ? 0 : end - 1;
    const std::size_t bytes = bytes_with(least, filed);
    return {sizes_[least], filed,
            fmt::format("{} MiB do not suffice for a picture of {}×{}: {}it needs {} MiB",
                        config_.memory >> 20U, pixels_.width, pixels_.height,
                        least > 0 ? "in the smallest tiles " : "", mebibytes_up(bytes)),
            bytes};
  }

  Backend& backend_;
  const Network& network_;
  const Config& config_;
  const Shape& pixels_;
  const std::vector<Shape>& styles_;
  std::vector<TileSize> sizes_;
  std::size_t parameters_;
  std::size_t workspace_ = 0;  ///< as far as it is known
};

}  // namespace

FittingTiles fitting_tiles(Backend& backend, const Network& network, const Config& config,
                           const Shape& pixels, const std::vector<Shape>& styles) {
  if (config.memory == 0) return {};
  return Search(backend, network, config, pixels, styles).run();
}

}  // namespace impasto
