// SPDX-License-Identifier: MIT
#include "host/app/sheet.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "host/image/resize.hpp"
#include "host/image/text.hpp"

namespace impasto::app {
namespace {

constexpr float white = 255;

std::int64_t margin(std::int64_t height) { return std::max<std::int64_t>(height / 24, 4); }

/// The width of a picture that is brought to a height.
std::int64_t width_at(const Image& picture, std::int64_t height) {
  const double scale = static_cast<double>(height) / static_cast<double>(picture.height);
  return std::max(std::lround(static_cast<double>(picture.width) * scale), 1L);
}

Image blank(std::int64_t height, std::int64_t width) {
  Image sheet;
  sheet.height = height;
  sheet.width = width;
  sheet.rgb.assign(static_cast<std::size_t>(3 * sheet.pixels()), white);
  return sheet;
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
  Image sheet = blank(size.height, size.width);
  std::int64_t left = margin(height);
  for (const Image& picture : pictures) {
    const std::int64_t width = width_at(picture, height);
    const bool fits = picture.height == height;
    paste(sheet, fits ? picture : resize(picture, height, width), margin(height), left);
    left += width + margin(height);
  }
  return sheet;
}

Image thumbnail(const Image& picture, std::int64_t longest) {
  const std::int64_t side = std::max(picture.height, picture.width);
  if (side <= longest) return picture;
  const auto shrunk = [=](std::int64_t of) {
    return std::max<std::int64_t>((of * longest + side / 2) / side, 1);
  };
  return resize(picture, shrunk(picture.height), shrunk(picture.width));
}

Image make_contact_sheet(std::span<const SheetCell> cells, std::size_t columns) {
  constexpr std::int64_t narrowest = 160;  // a caption has room
  constexpr std::int64_t gap = 8;
  std::int64_t width = narrowest;
  for (const SheetCell& cell : cells) width = std::max(width, cell.picture.width);
  struct Row {
    std::int64_t top;
    std::int64_t picture_height = 0;
    std::int64_t caption_height = 0;
  };
  std::vector<Image> captions;
  std::vector<Row> rows;
  std::int64_t bottom = 2 * gap;
  for (std::size_t first = 0; first < cells.size(); first += columns) {
    Row row{bottom};
    for (const SheetCell& cell : cells.subspan(first, std::min(columns, cells.size() - first))) {
      captions.push_back(draw_text(cell.caption, width));
      row.picture_height = std::max(row.picture_height, cell.picture.height);
      row.caption_height = std::max(row.caption_height, captions.back().height);
    }
    bottom += row.picture_height + gap + row.caption_height + 2 * gap;
    rows.push_back(row);
  }
  Image sheet = blank(bottom, 2 * gap + static_cast<std::int64_t>(columns) * (width + 2 * gap));
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const Row& row = rows[i / columns];
    const std::int64_t left = 2 * gap + static_cast<std::int64_t>(i % columns) * (width + 2 * gap);
    paste(sheet, cells[i].picture, row.top, left);
    paste(sheet, captions[i], row.top + row.picture_height + gap, left);
  }
  return sheet;
}

}  // namespace impasto::app
