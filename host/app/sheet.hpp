// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "host/image/image.hpp"

namespace impasto::app {

/// Pictures side by side at one height, with even white margins around and between them: before,
/// style, after.
Image make_sheet(std::span<const Image> pictures, std::int64_t height);

}  // namespace impasto::app
