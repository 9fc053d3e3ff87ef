// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "host/image/file.hpp"
#include "host/image/image.hpp"
#include "host/image/vips.hpp"

namespace impasto {

/// A decoded picture in libvips' memory, upright and in sRGB, at 8 or 16 bits.
class DecodedImage {
 public:
  DecodedImage(vips::Handle pixels, int colours, int file_bits);

  [[nodiscard]] std::int64_t height() const { return vips_image_get_height(pixels_.get()); }
  [[nodiscard]] std::int64_t width() const { return vips_image_get_width(pixels_.get()); }
  [[nodiscard]] bool has_alpha() const { return has_alpha_; }
  [[nodiscard]] int file_bits() const { return file_bits_; }

  /// Row `y` in [0,255]: rgb (W,3), and alpha (W) unless the picture is opaque.
  void read_row(std::int64_t y, float* rgb, float* alpha) const;

 private:
  template <class Sample>
  [[nodiscard]] bool any_transparent() const;

  vips::Handle pixels_;
  int colours_;
  int file_bits_;
  bool wide_;
  bool has_alpha_;
};

/// Decodes the bytes of the file `path`, whose header must keep to the limits.
DecodedImage decode(std::span<const std::byte> bytes, const std::string& path,
                    const ImageLimits& limits);

}  // namespace impasto
