// SPDX-License-Identifier: MIT
#include "host/app/sheet.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "host/image/resize.hpp"

namespace impasto::app {
namespace {

constexpr float white = 255;

Image at_height(const Image& picture, std::int64_t height) {
  if (picture.height == height) return picture;
  const double scale = static_cast<double>(height) / static_cast<double>(picture.height);
  const auto width = std::lround(static_cast<double>(picture.width) * scale);
  return resize(picture, height, std::max(width, 1L));
}

void paste(Image& sheet, const Image& picture, std::int64_t top, std::int64_t left) {
  for (std::int64_t y = 0; y < picture.height; ++y) {
    for (std::int64_t x = 0; x < picture.width; ++x) {
      const auto from = static_cast<std::size_t>(y * picture.width + x);
      const auto to = static_cast<std::size_t>((y + top) * sheet.width + x + left);
      const float opacity = picture.alpha.empty() ? 1 : picture.alpha[from] / 255;
      for (std::size_t c = 0; c < 3; ++c) {
        sheet.rgb[3 * to + c] = opacity * picture.rgb[3 * from + c] + (1 - opacity) * white;
      }
    }
  }
}

}  // namespace

Image make_sheet(std::span<const Image> pictures, std::int64_t height) {
  const std::int64_t margin = std::max<std::int64_t>(height / 24, 4);
  std::vector<Image> row;
  Image sheet;
  sheet.height = height + 2 * margin;
  sheet.width = margin;
  for (const Image& picture : pictures) {
    row.push_back(at_height(picture, height));
    sheet.width += row.back().width + margin;
  }
  sheet.rgb.assign(static_cast<std::size_t>(3 * sheet.pixels()), white);
  std::int64_t left = margin;
  for (const Image& picture : row) {
    paste(sheet, picture, margin, left);
    left += picture.width + margin;
  }
  return sheet;
}

}  // namespace impasto::app
