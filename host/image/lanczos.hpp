// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace impasto {

/// Writes row `y` of a picture, 3 or 4 values a pixel. Called from several threads.
using RowReader = std::function<void(std::int64_t y, float* row)>;

struct PictureSize {
  std::int64_t height;
  std::int64_t width;
};

/// Lanczos with three lobes, separable, shrinking (where the kernel widens) and enlarging alike;
/// taps beyond the edge are left out and the others rescaled. Values may leave the range of the
/// input. libvips is not used for this because it enlarges with a cubic.
std::vector<float> lanczos(const RowReader& read_row, PictureSize from, PictureSize to,
                           std::int64_t channels);

}  // namespace impasto
