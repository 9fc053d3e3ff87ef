// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "host/core/error.hpp"
#include "host/image/decode.hpp"
#include "host/image/encode.hpp"
#include "host/image/vips.hpp"
#include "tests/temporary_folder.hpp"

namespace impasto::test {

/// What an image file is made of before libvips encodes it.
struct Pixels {
  int width = 0;
  int height = 0;
  int bands = 3;
  VipsInterpretation interpretation = VIPS_INTERPRETATION_sRGB;
  std::vector<std::uint16_t> samples;
  bool wide = false;  ///< 16 bits a sample
};
vips::Handle to_vips(const Pixels& pixels);

/// The bytes of a file: "jpg", "png", "webp" (lossless) or "tif", without an ICC profile of
/// libvips' choosing.
std::string encode(VipsImage* image, const std::string& format);

const std::vector<std::string>& formats();

std::string big_endian(std::uint32_t value);
/// Length, name, content and checksum.
std::string png_chunk(const std::string& name, const std::string& content);

/// Runs `action`, which must throw an Error of this kind, and returns its message.
std::string error_of(ErrorKind kind, const std::function<void()>& action);

/// The colour at (y, x).
std::array<float, 3> colour_at(const Image& image, std::int64_t y, std::int64_t x);

/// The largest difference between two lists of equal length.
float max_difference(const std::vector<float>& a, const std::vector<float>& b);

/// Whole numbers that change from pixel to pixel, smooth enough for JPEG.
Image gradient_image(std::int64_t height, std::int64_t width, int bits, bool alpha);

}  // namespace impasto::test
