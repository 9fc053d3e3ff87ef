// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/batch/item.hpp"
#include "host/engine/config.hpp"
#include "host/engine/plan.hpp"
#include "host/engine/stylization.hpp"
#include "host/image/image.hpp"

namespace impasto::batch {

/// An item whose pictures are in memory, ready to be computed.
struct Work {
  Item item;
  Config config;
  Image content;
  std::vector<Style> styles;
  Image initial;
  /// The settings and the shapes of the styles. Works of the same configuration and the same size can
  /// be computed by one plan.
  std::string configuration;
  /// The styles and their masks by name. Works with one plan and the same styles that have come equally far can be
  /// computed side by side.
  std::string style_names;
  std::optional<Checkpoint> from = {};  ///< where an earlier run left it

  [[nodiscard]] std::size_t bytes() const {
    std::size_t values = content.rgb.size() + content.alpha.size() + initial.rgb.size();
    for (const Style& style : styles) {
      values += style.image.rgb.size();
      if (style.mask) values += style.mask->values.size();
      if (style.style_mask) values += style.style_mask->values.size();
    }
    if (from) values += from->state.size();
    return values * sizeof(float);
  }
};

/// A work's picture, and how it came about.
struct Outcome {
  Image picture;  ///< the last, or the best where the loss rose
  Course course;
  Ending ending = Ending::finished;  ///< or converged
  std::vector<EarlyEnd> early;
  /// That computed it. A stream may have gone on to another.
  std::shared_ptr<const Session> session;
  std::int64_t iterations = 0;
  double seconds = 0;             ///< of the batch that it was computed in
  std::int64_t side_by_side = 1;  ///< pictures in that batch
};

}  // namespace impasto::batch
