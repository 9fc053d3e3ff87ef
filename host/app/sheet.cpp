// SPDX-License-Identifier: MIT
#include "host/app/sheet.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "host/image/resize.hpp"

namespace impasto::app {
namespace {

constexpr float white = 255;

std::int64_t margin(std::int64_t height) { return std::max<std::int64_t>(height / 24, 4); }

/// The width of a picture that is brought to a height.
std::int64_t width_at(const Image& picture, std::int64_t height) {
  const double scale = static_cast<double>(height) / static_cast<double>(picture.height);
  return std::max(std::lround(static_cast<double>(picture.width) * scale), 1L);
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

std::vector<Image> pictures_of_sheet(const Image& content, std::span<const Style> styles,
                                     const Image& result) {
  std::vector<Image> pictures = {content};
  for (const Style& style : styles) pictures.push_back(style.image);
  pictures.push_back(result);
  return pictures;
}

SheetSize sheet_size(std::span<const Image> pictures, std::int64_t height) {
  SheetSize size{height + 2 * margin(height), margin(height)};
  for (const Image& picture : pictures) size.width += width_at(picture, height) + margin(height);
  return size;
}

Image make_sheet(std::span<const Image> pictures, std::int64_t height) {
  const SheetSize size = sheet_size(pictures, height);
  Image sheet;
  sheet.height = size.height;
  sheet.width = size.width;
  sheet.rgb.assign(static_cast<std::size_t>(3 * sheet.pixels()), white);
  std::int64_t left = margin(height);
  for (const Image& picture : pictures) {
    const std::int64_t width = width_at(picture, height);
    const bool fits = picture.height == height;
    paste(sheet, fits ? picture : resize(picture, height, width), margin(height), left);
    left += width + margin(height);
  }
  return sheet;
}

}  // namespace impasto::app
