// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

#include "host/image/image.hpp"

namespace impasto {

/// How much each pixel of a picture counts: a soft mask.
struct Mask {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::vector<float> values;  ///< (H,W), 0 for black to 1 for white

  /// Whether it leaves nothing of the picture.
  [[nodiscard]] bool black() const;
  friend bool operator==(const Mask&, const Mask&) = default;
};

/// The grey of a picture as a mask: its luminance of BT.601, and nothing where it is transparent.
Mask mask_of(const Image& picture);

/// The mask at another size: a pixel gets the mean of the area that it covers.
Mask averaged(const Mask& mask, std::int64_t height, std::int64_t width);

}  // namespace impasto
