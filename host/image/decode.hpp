// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/image/image.hpp"

namespace impasto {

/// Limits on what a file declares. A file that exceeds one is refused before its pixels are read.
struct ImageLimits {
  std::int64_t max_side = 32768;
  std::int64_t max_pixels = 1LL << 28;  ///< 16384²
  std::int64_t max_bytes = 1LL << 30;
};

/// Reads a picture in one of the formats (formats.hpp), recognised by content and not by name.
/// Applies EXIF orientation, converts any ICC profile, grey or CMYK to sRGB and keeps alpha aside.
/// With `size`, the longer side becomes `size` (resize.hpp); the other follows, at least 1.
/// Throws ErrorKind::input naming the file, what was expected and what was found.
Image load_image(const std::string& path, std::optional<std::int64_t> size = std::nullopt,
                 const ImageLimits& limits = {});
/// The same for a picture whose file is in memory; `name` is for messages.
Image decode_image(std::vector<std::byte> bytes, const std::string& name,
                   std::optional<std::int64_t> size = std::nullopt, const ImageLimits& limits = {});

/// The comment that encode_image() put into a picture's file; empty where it holds none. Throws as
/// load_image() does.
std::string read_comment(const std::string& path);

/// Name and version of the library that reads and writes pictures: "libvips 8.14.1".
std::string image_library();

}  // namespace impasto
