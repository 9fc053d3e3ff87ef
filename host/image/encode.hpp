// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "host/image/image.hpp"

namespace impasto {

/// The extensions that save_image can write, with their dots.
std::vector<std::string> writable_extensions();

/// Whether `path` has one of them, in any case.
bool is_picture_name(const std::string& path);

/// Throws ErrorKind::usage unless save_image can write the extension of `path`, ErrorKind::output
/// unless a file can be written there (check_writable): so that a mistake shows before the work.
void check_output_path(const std::string& path);

/// Whether the format of that extension has 16 bits per channel, or alpha. Both throw as
/// check_output_path() does.
bool holds_16_bits(const std::string& path);
bool holds_alpha(const std::string& path);

/// Throws ErrorKind::output when the format of the extension cannot hold a picture of this size.
void check_picture_fits(const std::string& path, std::int64_t height, std::int64_t width);

/// The bytes of a file in the format of the extension of `path` (formats.hpp), in sRGB or in the space
/// of the image's own profile, which the file holds; values are rounded and clamped. 16 bits per channel where the image came with 16 and the format can
/// hold it. A format without alpha gets the picture over white. `comment` goes into the file's
/// metadata. Throws ErrorKind::output, naming `path`.
std::vector<std::byte> encode_image(const Image& image, const std::string& path,
                                    std::string_view comment = {});

/// Writes what encode_image() makes, atomically. Returns the SHA-256 of the file. Throws
/// ErrorKind::output.
std::string save_image(const Image& image, const std::string& path, std::string_view comment = {});

/// Pictures of one size that are shown one after another, again and again. They are kept as 8 bits per
/// channel until they are written.
class Animation {
 public:
  /// Throws ErrorKind::internal for a picture of another size than the first, or of another
  /// transparency.
  void add(const Image& frame, int milliseconds);
  /// Writes them as animated WebP, atomically: lossy, since a lossless frame takes ten times as many
  /// bytes. Throws as save_image() does.
  void save(const std::string& path, std::string_view comment = {}) const;

 private:
  std::int64_t height_ = 0;
  std::int64_t width_ = 0;
  bool has_alpha_ = false;
  std::vector<std::uint8_t> samples_;  ///< (frames,H,W,3 or 4)
  std::vector<int> milliseconds_;      ///< that each frame stays
};

}  // namespace impasto
