// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

#include "host/image/image.hpp"

namespace impasto {

/// Black text on white, in lines of at most `width` pixels; a longer word is cut off. UTF-8. Has no
/// pixels where there is no text, or libvips has no font for it.
Image draw_text(std::string_view text, std::int64_t width);

}  // namespace impasto
