// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace impasto {

/// A picture in memory: sRGB, interleaved, values in [0,255] whatever depth the file had. A pixel
/// whose alpha is 0 is black, whatever colour the file has for it.
struct Image {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::vector<float> rgb;               ///< (H,W,3) red, green, blue
  std::vector<float> alpha;             ///< (H,W) in [0,255], or empty when the picture is opaque
  int bits = 8;                         ///< per channel in the file it came from: 8 or 16
  std::vector<std::string> notes = {};  ///< what is odd about the file, one sentence each
  /// The ICC profile that its file had (profile.hpp), or empty; in a file it gets these colours.
  std::vector<std::byte> profile = {};

  [[nodiscard]] std::int64_t pixels() const { return height * width; }
  /// Whether it shows the same colours.
  [[nodiscard]] bool looks_like(const Image& other) const {
    return height == other.height && width == other.width && rgb == other.rgb;
  }
};

/// The luminance of red, green and blue, by BT.601.
inline double luminance(const float* rgb) {
  return 0.299 * double{rgb[0]} + 0.587 * double{rgb[1]} + 0.114 * double{rgb[2]};
}

}  // namespace impasto
