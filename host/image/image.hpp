// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace impasto {

/// A picture in memory: sRGB, interleaved, values in [0,255] whatever depth the file had.
struct Image {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::vector<float> rgb;    ///< (H,W,3) red, green, blue
  std::vector<float> alpha;  ///< (H,W) in [0,255], or empty when the picture is opaque
  int bits = 8;              ///< per channel in the file it came from: 8 or 16

  [[nodiscard]] std::int64_t pixels() const { return height * width; }
};

/// What a file may declare before it is refused, unread.
struct ImageLimits {
  std::int64_t max_side = 32768;
  std::int64_t max_pixels = 100'000'000;
  std::int64_t max_bytes = 512LL << 20;
};

/// Reads JPEG, PNG, WebP or TIFF, recognised by content and not by name. Applies EXIF orientation,
/// converts any ICC profile, grey or CMYK to sRGB and keeps alpha aside. With `size`, the longer
/// side becomes `size` (Lanczos, colours premultiplied by alpha); the other follows, at least 1.
/// Throws ErrorKind::input naming the file, what was expected and what was found.
Image load_image(const std::string& path, std::optional<std::int64_t> size = std::nullopt,
                 const ImageLimits& limits = {});

/// Lanczos to exactly height × width.
Image resize(const Image& image, std::int64_t height, std::int64_t width);

/// Throws ErrorKind::usage unless save_image can write the extension of `path`, ErrorKind::output
/// unless its folder exists and can be written to: so that a mistake shows before the work.
void check_output_path(const std::string& path);

/// Writes by extension (.jpg .jpeg .png .webp .tif .tiff), atomically, with an sRGB profile; values
/// are rounded and clamped. 16 bits per channel where the image came with 16 and the format can
/// hold it. A format without alpha gets the picture over white. `comment` goes into the file's
/// metadata. Returns the SHA-256 of the file. Throws ErrorKind::output.
std::string save_image(const Image& image, const std::string& path, std::string_view comment = {});

}  // namespace impasto
