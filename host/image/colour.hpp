// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "host/image/vips.hpp"

namespace impasto {

struct SrgbImage {
  vips::Handle image;  ///< grey or sRGB, then alpha if there is any
  int colours = 0;     ///< 1 or 3
};

/// The image as sRGB: by its ICC profile, CMYK without one by libvips' own. A profile that does not
/// fit its image is ignored, as viewers do. 16 bits after a conversion, else as it came.
SrgbImage to_srgb(VipsImage* image, const std::string& path);

}  // namespace impasto
