// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace impasto::kernels {

/// An NHWC array: feature maps are (N,H,W,C), images are (N,H,W,3). Counts are 64-bit because
/// 4096² pixels × 64 channels × batch 2 is already 2³¹ elements.
struct MapSize {
  std::int64_t batch = 1;
  std::int64_t height = 1;
  std::int64_t width = 1;
  std::int64_t channels = 1;

  [[nodiscard]] constexpr std::int64_t pixels() const { return height * width; }
  [[nodiscard]] constexpr std::int64_t per_image() const { return pixels() * channels; }
  [[nodiscard]] constexpr std::int64_t count() const { return batch * per_image(); }
  friend constexpr bool operator==(const MapSize&, const MapSize&) = default;
};

/// How an operation stores a gradient. Several terms meet at one feature map: each adds to the
/// gradient, and the last one applies the mask of the ReLU that made the map.
struct GradientEpilogue {
  bool accumulate = false;  ///< add to what the gradient already holds instead of overwriting it
  bool relu_mask = false;   ///< then set the gradient to 0 where the feature map is 0
};

}  // namespace impasto::kernels
