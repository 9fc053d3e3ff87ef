// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>

#include "host/image/image.hpp"

namespace impasto {

struct PictureSize {
  std::int64_t height;
  std::int64_t width;
};

/// The size whose longer side is `longer`; the other follows, rounded, at least 1.
PictureSize fit(PictureSize from, std::int64_t longer);

/// A picture that is handed out row by row, so that a large file is never whole in memory as
/// floats.
struct PictureRows {
  PictureSize size;
  bool has_alpha;
  int bits;
  /// Writes the colours of row `y` to `rgb` (W,3) and its alpha to `alpha` (W), which is null when
  /// the picture is opaque. Called from several threads.
  std::function<void(std::int64_t y, float* rgb, float* alpha)> read;
};

/// Lanczos with three lobes, separable, shrinking (where the kernel widens) and enlarging alike;
/// taps beyond the edge are left out and the others rescaled. Colours are weighted by alpha while
/// they are mixed, so that what is invisible leaves no fringe. The same bits on any number of
/// threads. libvips is not used for this because it enlarges with a cubic.
Image resize(const PictureRows& picture, PictureSize to);

/// The same, of a picture in memory, to exactly height × width.
Image resize(const Image& image, std::int64_t height, std::int64_t width);

/// How values between samples are interpolated. Every filter is wider when it shrinks a picture.
enum class ResizeFilter : std::uint8_t {
  lanczos,  ///< three lobes
  cubic,    ///< Keys 1981, a = −½
  linear,   ///< a mean with weights of 0 or more, so nothing falls below 0
};

/// Resizes an array (H,W,3) of any values, without clamping.
std::vector<float> resample(const std::vector<float>& values, PictureSize from, PictureSize to,
                            ResizeFilter filter = ResizeFilter::lanczos);

}  // namespace impasto
