// SPDX-License-Identifier: MIT
// What a plan says where the memory does not suffice for it.
#include <algorithm>
#include <utility>

#include "host/core/error.hpp"
#include "host/engine/plan.hpp"

namespace impasto {

std::size_t mebibytes_up(std::size_t bytes) { return (bytes + (1U << 20U) - 1) >> 20U; }

/// The longest side, in steps of 16 pixels, at which pictures of this form and styles fit into
/// `room` bytes, in the same tiles if any, with as much workspace as the full size needs; 0 for none.
std::int64_t Plan::longest_side_within(std::size_t room) const {
  constexpr std::int64_t step = 16;
  const Network shapes(network_.layers(), network_.pool());
  const Shape& full = pixels().shape;
  const auto fits = [&](std::int64_t longer) {
    std::vector<Shape> styles;
    for (const Shape& style : style_shapes_) {
      styles.push_back(scaled_to(style, std::min(longer, std::max(style.height, style.width))));
    }
    try {
      const Plan smaller(shapes, config_, scaled_to(full, longer), master_, activations_,
                         std::move(styles), tile_, ranks_, filed_bytes() > 0);
      return smaller.bytes() + workspace_bytes_ <= room;
    } catch (const Error&) {
      return false;  // too small for its deepest layer
    }
  };
  std::int64_t below = 0;
  std::int64_t above = std::max(full.height, full.width) / step + 1;
  while (above - below > 1) {
    const std::int64_t middle = (below + above) / 2;
    (fits(middle * step) ? below : above) = middle;
  }
  return below * step;
}

/// What the smallest tiles take of the same pictures, with as much as can be in a file; none where there are
/// no tiles to be had.
std::optional<std::size_t> Plan::least_in_tiles() const {
  if (ranks_ != nullptr || tiling_) return std::nullopt;
  const TileSize least = tile_sizes(pixels().shape, style_shapes_).back();
  const Network shapes(network_.layers(), network_.pool());
  try {
    const Plan tiled(shapes, config_, pixels().shape, master_, activations_, style_shapes_, least,
                     nullptr, true);
    return tiled.bytes() + workspace_bytes_;
  } catch (const Error&) {
    return std::nullopt;  // a loss needs the whole picture
  }
}

std::string Plan::in_tiles(std::size_t room) const {
  const std::optional<std::size_t> least = least_in_tiles();
  if (!least || *least > room) return {};
  // A quarter is left to the pictures on the host and to who else is there.
  const std::size_t parameters = parameter_bytes(
      network_.layers(), deepest_layer(config_.objective, network_.layers()), activations_);
  return fmt::format("; --memory {}M computes all of it in tiles",
                     mebibytes_up(std::max(*least, room / 4 * 3) + parameters));
}

std::string Plan::shortage(std::size_t room) const {
  if (bytes() <= room) return {};
  const Shape& shape = pixels().shape;
  const std::int64_t longest = longest_side_within(room);
  return fmt::format(
      "not enough memory for {} of {}×{}: {} MiB needed, {} MiB free, {} MiB missing; {}{}",
      shape.batch == 1 ? std::string("a picture") : fmt::format("{} pictures", shape.batch),
      shape.width, shape.height, mebibytes_up(bytes()), room >> 20U, mebibytes_up(bytes() - room),
      longest > 0 ? fmt::format("a longer side of {} pixels would fit", longest)
                  : std::string("no smaller size would fit either"),
      in_tiles(room));
}

void Plan::require_room(const Backend& backend) const {
  const std::optional<std::size_t> room = backend.free_memory();
  if (!room) return;
  if (const std::string reason = shortage(*room); !reason.empty()) {
    fail(ErrorKind::out_of_memory, "{}", reason);
  }
}

}  // namespace impasto
