// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
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

}  // namespace impasto::app
