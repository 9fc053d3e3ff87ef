// SPDX-License-Identifier: MIT
#include "tests/host/image/fixtures.hpp"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

namespace impasto::test {

vips::Handle to_vips(const Pixels& pixels) {
  vips::start();
  const std::vector<std::uint8_t> narrow(pixels.samples.begin(), pixels.samples.end());
  const void* data = pixels.wide ? static_cast<const void*>(pixels.samples.data()) : narrow.data();
  const std::size_t size = pixels.samples.size() * (pixels.wide ? 2 : 1);
  const vips::Handle raw(
      vips_image_new_from_memory_copy(data, size, pixels.width, pixels.height, pixels.bands,
                                      pixels.wide ? VIPS_FORMAT_USHORT : VIPS_FORMAT_UCHAR));
  return vips::call([&](VipsImage** out) {
    return vips_copy(raw.get(), out, "interpretation", pixels.interpretation, nullptr);
  });
}

std::string encode(VipsImage* image, const std::string& format) {
  void* data = nullptr;
  std::size_t size = 0;
  int status = -1;
  if (format == "jpg") status = vips_jpegsave_buffer(image, &data, &size, "Q", 95, nullptr);
  if (format == "png") status = vips_pngsave_buffer(image, &data, &size, nullptr);
  if (format == "tif") status = vips_tiffsave_buffer(image, &data, &size, nullptr);
  if (format == "webp")
    status = vips_webpsave_buffer(image, &data, &size, "lossless", TRUE, nullptr);
  if (status != 0) throw std::runtime_error("cannot make a fixture: " + vips::take_error());
  std::string bytes(static_cast<const char*>(data), size);
  g_free(data);
  return bytes;
}

const std::vector<std::string>& formats() {
  static const std::vector<std::string> all{"jpg", "png", "webp", "tif"};
  return all;
}

std::string big_endian(std::uint32_t value) {
  std::string bytes;
  for (const unsigned shift : {24U, 16U, 8U, 0U}) bytes += static_cast<char>(value >> shift & 255U);
  return bytes;
}

std::string png_chunk(const std::string& name, const std::string& content) {
  std::uint32_t crc = ~0U;  // ISO 3309
  for (const char byte : name + content) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1U ^ (0xEDB88320U & (0U - (crc & 1U)));
  }
  return big_endian(static_cast<std::uint32_t>(content.size())) + name + content + big_endian(~crc);
}

std::string error_of(ErrorKind kind, const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

std::array<float, 3> colour_at(const Image& image, std::int64_t y, std::int64_t x) {
  const auto i = static_cast<std::size_t>(3 * (y * image.width + x));
  return {image.rgb[i], image.rgb[i + 1], image.rgb[i + 2]};
}

float max_difference(const std::vector<float>& a, const std::vector<float>& b) {
  EXPECT_EQ(a.size(), b.size());
  float largest = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    largest = std::max(largest, std::abs(a[i] - b[i]));
  }
  return largest;
}

Image gradient_image(std::int64_t height, std::int64_t width, int bits, bool alpha) {
  Image image{height, width, {}, {}, bits};
  const float step = bits == 16 ? 1.0F / 257.0F : 1.0F;
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::int64_t x = 0; x < width; ++x) {
      const auto across = static_cast<float>(200 * x / width);
      const auto down = static_cast<float>(200 * y / height);
      image.rgb.insert(image.rgb.end(), {20 + across, 30 + down, 240 - across + 3 * step});
      if (alpha) image.alpha.push_back(255 - down - 7 * step);
    }
  }
  return image;
}

}  // namespace impasto::test
