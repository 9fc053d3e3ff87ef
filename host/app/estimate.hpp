// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "host/engine/stylization.hpp"

namespace impasto::app {

/// What the stylization of one picture will take.
struct RunEstimate {
  MemoryEstimate memory;
  /// The most memory that the process will have, itself and its libraries included; nothing where the
  /// backend has memory of its own.
  std::optional<std::size_t> process;
  /// Of the iterations; nothing where they do not fit.
  std::optional<double> seconds;
};

/// Computes a few iterations of the pictures, which are loaded, on a network of noise: at their full
/// size on a GPU, else at the smallest that tells. The others take as much more time as they have more
/// pixels. The process is measured as it is with these pictures in memory, and what the run adds is planned.
RunEstimate estimate_run(Backend& backend, const VggLayers& layers, const Config& config,
                         const Image& content, std::span<const Style> styles);

}  // namespace impasto::app
