// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/image/vips.hpp"

namespace impasto {

/// A format of picture files: all that reading and writing it depends on.
struct ImageFormat {
  std::string_view name;                     ///< for people
  std::vector<std::string_view> extensions;  ///< in lower case, with the dot
  bool (*begins)(std::string_view head);     ///< whether a file of the format begins like this
  std::string_view end = {};                 ///< what its decoder wants to see last, if anything
  /// Removes parts that could unpack to any size and that nobody needs: all of them or, with
  /// `keep_comment`, all but the first comment that is short. Null if there are none.
  void (*strip)(std::vector<std::byte>& bytes, bool keep_comment) = nullptr;
  /// Opens the header; pixels are decoded when they are asked for. Empty if libvips refuses it.
  vips::Handle (*load)(std::span<const std::byte> bytes);
  /// Encodes the image. Returns 0 if libvips could.
  int (*save)(VipsImage* image, void** data, std::size_t* size);
  std::int64_t max_side;  ///< in pixels, of what can be written
  bool holds_16_bits;     ///< per channel
  bool holds_alpha;
  const char* comment_field;  ///< libvips' name of the field for a comment
};

/// The formats that are read and written.
std::span<const ImageFormat> image_formats();

/// The format of a file, recognised by its first bytes, or nullptr.
const ImageFormat* recognise_format(std::span<const std::byte> bytes);

/// The format that the extension of `path` stands for. Throws ErrorKind::usage.
const ImageFormat& format_of_extension(const std::string& path);

/// "JPEG, PNG, WebP or TIFF"
std::string names_of_formats();

}  // namespace impasto
