// SPDX-License-Identifier: MIT
#include "host/image/text.hpp"

#include <algorithm>
#include <string>

#include "host/image/vips.hpp"

namespace impasto {
namespace {

/// Pango reads markup.
std::string escaped(std::string_view text) {
  std::string markup;
  for (const char letter : text) {
    switch (letter) {
      case '&': markup += "&amp;"; break;
      case '<': markup += "&lt;"; break;
      case '>': markup += "&gt;"; break;
      default: markup += letter;
    }
  }
  return markup;
}

}  // namespace

Image draw_text(std::string_view text, std::int64_t width) {
  vips::start();
  const std::string markup = escaped(text);
  const vips::Handle drawn = vips::call([&](VipsImage** out) {
    return vips_text(out, markup.c_str(), "font", "sans 12", "width", static_cast<int>(width),
                     nullptr);
  });
  const vips::Handle pixels(drawn ? vips_image_copy_memory(drawn.get()) : nullptr);
  if (!pixels) {
    vips_error_clear();
    return {};
  }
  const std::int64_t full_width = vips_image_get_width(pixels.get());
  const auto* ink = static_cast<const std::uint8_t*>(vips_image_get_data(pixels.get()));
  Image image;
  image.height = vips_image_get_height(pixels.get());
  image.width = std::min(full_width, width);
  image.rgb.reserve(static_cast<std::size_t>(3 * image.pixels()));
  for (std::int64_t y = 0; y < image.height; ++y) {
    for (std::int64_t x = 0; x < image.width; ++x) {
      image.rgb.insert(image.rgb.end(), 3, 255.0F - static_cast<float>(ink[y * full_width + x]));
    }
  }
  return image;
}

}  // namespace impasto
