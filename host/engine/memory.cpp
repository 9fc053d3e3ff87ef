// SPDX-License-Identifier: MIT
#include "host/engine/memory.hpp"

#include <algorithm>
#include <cmath>

#include "host/core/error.hpp"
#include "host/engine/stylizer.hpp"

namespace impasto {
namespace {

/// A shape like `pixels` whose longer side is `longer`.
Shape scaled_to(const Shape& pixels, std::int64_t longer) {
  const double scale =
      static_cast<double>(longer) / static_cast<double>(std::max(pixels.height, pixels.width));
  const auto side = [scale](std::int64_t full) {
    return std::max<std::int64_t>(1, std::llround(scale * static_cast<double>(full)));
  };
  return {pixels.batch, side(pixels.height), side(pixels.width), pixels.channels};
}

/// The longest side, in steps of 16 pixels, at which pictures of this form and styles fit into
/// `room` bytes with as much workspace as the full size needs; 0 for none.
std::int64_t longest_side_within(std::size_t room, const Backend& backend, const Config& config,
                                 const Plan& plan) {
  constexpr std::int64_t step = 16;
  const Network shapes(config.objective.pool);
  const Shape& full = plan.pixels().shape;
  const auto fits = [&](std::int64_t longer) {
    try {
      Plan smaller(shapes, config, scaled_to(full, longer), backend.master_type(),
                   backend.activation_type());
      for (const Shape& style : plan.style_shapes()) {
        smaller.expect_style(
            scaled_to(style, std::min(longer, std::max(style.height, style.width))));
      }
      return smaller.bytes() + plan.workspace_bytes() <= room;
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

std::size_t mebibytes(std::size_t bytes) { return (bytes + (1U << 20U) - 1) >> 20U; }

}  // namespace

void require_room(const Backend& backend, const Config& config, const Plan& plan) {
  const std::optional<std::size_t> room = backend.free_memory();
  const std::size_t bytes = plan.bytes();
  if (!room || bytes <= *room) return;
  const Shape& pixels = plan.pixels().shape;
  const std::int64_t longest = longest_side_within(*room, backend, config, plan);
  fail(ErrorKind::out_of_memory,
       "not enough memory for {} of {}×{}: {} MiB needed, {} MiB free, {} MiB missing; {}",
       pixels.batch == 1 ? std::string("a picture") : fmt::format("{} pictures", pixels.batch),
       pixels.width, pixels.height, mebibytes(bytes), *room >> 20U, mebibytes(bytes - *room),
       longest > 0 ? fmt::format("a longer side of {} pixels would fit", longest)
                   : std::string("no smaller size would fit either"));
}

MemoryEstimate estimate_memory(Backend& backend, const Config& config, const Shape& pixels,
                               std::span<const Shape> styles) {
  const std::size_t deepest = deepest_layer(config.objective);
  const Network network(backend, config.objective.pool, deepest);
  Plan plan(network, config, pixels, backend.master_type(), backend.activation_type());
  for (const Shape& style : styles) plan.expect_style(style);
  plan.prepare(backend);
  std::size_t parameters = 0;
  for (std::size_t layer = 0; layer <= deepest; ++layer) {
    if (vgg19[layer].kind == pool_kind) continue;
    parameters +=
        static_cast<std::size_t>(9 * vgg19[layer].in_channels * vgg19[layer].out_channels);
  }
  // Once as they are and once rotated, for the data gradient.
  return {.weights = 2 * parameters * size_of(backend.activation_type()),
          .persistent = plan.persistent_bytes(),
          .arena = plan.arena_bytes(),
          .workspace = plan.workspace_bytes()};
}

}  // namespace impasto
