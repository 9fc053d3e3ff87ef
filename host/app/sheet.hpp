// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "host/engine/plan.hpp"
#include "host/image/image.hpp"

namespace impasto::app {

/// What a sheet shows: the content, the styles and the result.
std::vector<Image> pictures_of_sheet(const Image& content, std::span<const Style> styles,
                                     const Image& result);

struct SheetSize {
  std::int64_t height;
  std::int64_t width;
};

/// The size of make_sheet's picture.
SheetSize sheet_size(std::span<const Image> pictures, std::int64_t height);

/// Pictures side by side at one height, with even white margins around and between them: before,
/// style, after.
Image make_sheet(std::span<const Image> pictures, std::int64_t height);

/// The longest side of a picture on a contact sheet.
inline constexpr std::int64_t longest_thumbnail = 320;

/// The picture, shrunk where its longer side has more pixels than `longest`.
Image thumbnail(const Image& picture, std::int64_t longest = longest_thumbnail);

/// One place of a contact sheet. A picture without pixels leaves its place white.
struct SheetCell {
  Image picture;
  std::string caption;  ///< UTF-8
};

/// Pictures in rows of `columns`, all places of one width, the captions below each row.
Image make_contact_sheet(std::span<const SheetCell> cells, std::size_t columns);

}  // namespace impasto::app
