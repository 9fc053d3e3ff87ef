// SPDX-License-Identifier: MIT
#include "host/image/mask.hpp"

#include <algorithm>
#include <cstddef>

namespace impasto {
namespace {

/// (rows, n, columns) to (rows, to, columns) along the axis in the middle.
std::vector<float> averaged_along(const std::vector<float>& values, std::int64_t rows,
                                  std::int64_t n, std::int64_t columns, std::int64_t to) {
  std::vector<float> result(static_cast<std::size_t>(rows * to * columns));
  const double step = static_cast<double>(n) / static_cast<double>(to);
  for (std::int64_t i = 0; i < to; ++i) {
    const double begin = static_cast<double>(i) * step;
    const double end = std::min(begin + step, static_cast<double>(n));
    for (std::int64_t row = 0; row < rows; ++row) {
      for (std::int64_t column = 0; column < columns; ++column) {
        double sum = 0;
        for (auto k = static_cast<std::int64_t>(begin); k < n && static_cast<double>(k) < end;
             ++k) {
          const double covered =
              std::min(end, static_cast<double>(k + 1)) - std::max(begin, static_cast<double>(k));
          sum += covered * static_cast<double>(
                               values[static_cast<std::size_t>((row * n + k) * columns + column)]);
        }
        result[static_cast<std::size_t>((row * to + i) * columns + column)] =
            static_cast<float>(sum / (end - begin));
      }
    }
  }
  return result;
}

}  // namespace

bool Mask::black() const {
  return std::ranges::all_of(values, [](float value) { return value <= 0; });
}

Mask mask_of(const Image& picture) {
  Mask mask{picture.height, picture.width, {}};
  for (std::size_t i = 0; i < picture.rgb.size(); i += 3) {
    const float grey =
        0.299F * picture.rgb[i] + 0.587F * picture.rgb[i + 1] + 0.114F * picture.rgb[i + 2];
    const float seen = picture.alpha.empty() ? 255 : picture.alpha[i / 3];
    mask.values.push_back(std::clamp(grey / 255 * seen / 255, 0.0F, 1.0F));
  }
  return mask;
}

Mask averaged(const Mask& mask, std::int64_t height, std::int64_t width) {
  if (height == mask.height && width == mask.width) return mask;
  const std::vector<float> rows = averaged_along(mask.values, 1, mask.height, mask.width, height);
  return {height, width, averaged_along(rows, height, mask.width, 1, width)};
}

}  // namespace impasto
