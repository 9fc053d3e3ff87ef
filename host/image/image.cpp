// SPDX-License-Identifier: MIT
#include "host/image/image.hpp"

#include <algorithm>

#include "host/core/error.hpp"
#include "host/image/decode.hpp"
#include "host/image/lanczos.hpp"

namespace impasto {
namespace {

float clamp_sample(float value) { return std::clamp(value, 0.0F, 255.0F); }

/// Reads colours into `rgb` and alpha into `alpha`, which may stay untouched in an opaque picture.
using PlaneReader = std::function<void(std::int64_t y, float* rgb, float* alpha)>;

/// Colours are weighted by alpha while they are mixed, so that what is invisible leaves no fringe.
RowReader premultiplied(const PlaneReader& read, std::int64_t width) {
  return [&read, width](std::int64_t y, float* row) {
    const auto count = static_cast<std::size_t>(width);
    std::vector<float> rgb(count * 3);
    std::vector<float> alpha(count);
    read(y, rgb.data(), alpha.data());
    for (std::size_t x = 0; x < count; ++x) {
      for (std::size_t c = 0; c < 3; ++c) row[x * 4 + c] = rgb[x * 3 + c] * (alpha[x] / 255.0F);
      row[x * 4 + 3] = alpha[x];
    }
  };
}

void separate_alpha(const std::vector<float>& rgba, Image& image) {
  const auto count = static_cast<std::size_t>(image.pixels());
  image.rgb.resize(count * 3);
  image.alpha.resize(count);
  constexpr float visible = 1.0F / 257.0F;  // one step at 16 bits
  for (std::size_t i = 0; i < count; ++i) {
    const float alpha = clamp_sample(rgba[i * 4 + 3]);
    const float scale = alpha < visible ? 0.0F : 255.0F / alpha;
    for (std::size_t c = 0; c < 3; ++c) {
      image.rgb[i * 3 + c] = clamp_sample(rgba[i * 4 + c] * scale);
    }
    image.alpha[i] = alpha;
  }
}

Image resample(const PlaneReader& read, PictureSize from, PictureSize to, bool has_alpha,
               int bits) {
  Image image;
  image.height = to.height;
  image.width = to.width;
  image.bits = bits;
  if (has_alpha) {
    separate_alpha(lanczos(premultiplied(read, from.width), from, to, 4), image);
    return image;
  }
  const RowReader colours = [&read](std::int64_t y, float* row) { read(y, row, nullptr); };
  image.rgb = lanczos(colours, from, to, 3);
  std::transform(image.rgb.begin(), image.rgb.end(), image.rgb.begin(), clamp_sample);
  return image;
}

Image as_decoded(const DecodedImage& decoded) {
  Image image;
  image.height = decoded.height();
  image.width = decoded.width();
  image.bits = decoded.file_bits();
  image.rgb.resize(static_cast<std::size_t>(image.pixels() * 3));
  if (decoded.has_alpha()) image.alpha.resize(static_cast<std::size_t>(image.pixels()));
#pragma omp parallel for schedule(static)
  for (std::int64_t y = 0; y < image.height; ++y) {
    decoded.read_row(y, image.rgb.data() + y * image.width * 3,
                     decoded.has_alpha() ? image.alpha.data() + y * image.width : nullptr);
  }
  return image;
}

/// The longer side becomes `size`, the other follows, rounded, at least 1.
PictureSize fit(PictureSize from, std::int64_t size) {
  const std::int64_t longer = std::max(from.height, from.width);
  const auto scaled = [&](std::int64_t side) {
    return std::max<std::int64_t>(1, (2 * side * size + longer) / (2 * longer));
  };
  return {scaled(from.height), scaled(from.width)};
}

}  // namespace

Image load_image(const std::string& path, std::optional<std::int64_t> size,
                 const ImageLimits& limits) {
  if (size && (*size < 1 || *size > limits.max_side)) {
    fail(ErrorKind::usage, "the size of an image must be 1 to {}, not {}", limits.max_side, *size);
  }
  const auto bytes = read_image_file(path, limits.max_bytes);
  const DecodedImage decoded = decode(bytes, path, limits);
  const PictureSize from{decoded.height(), decoded.width()};
  if (!size || *size == std::max(from.height, from.width)) return as_decoded(decoded);
  const PictureSize to = fit(from, *size);
  if (to.height * to.width > limits.max_pixels) {
    fail(ErrorKind::usage, "'{}' at size {} would have {}×{} pixels, the limit is {}",
         printable(path), *size, to.width, to.height, limits.max_pixels);
  }
  const PlaneReader read = [&](std::int64_t y, float* rgb, float* alpha) {
    decoded.read_row(y, rgb, alpha);
  };
  return resample(read, from, to, decoded.has_alpha(), decoded.file_bits());
}

Image resize(const Image& image, std::int64_t height, std::int64_t width) {
  require(height > 0 && width > 0 && image.pixels() > 0, "resize of {}×{} to {}×{}", image.width,
          image.height, width, height);
  if (height == image.height && width == image.width) return image;
  const PlaneReader read = [&](std::int64_t y, float* rgb, float* alpha) {
    const std::int64_t start = y * image.width;
    std::copy_n(image.rgb.data() + start * 3, image.width * 3, rgb);
    if (alpha != nullptr) std::copy_n(image.alpha.data() + start, image.width, alpha);
  };
  return resample(read, {image.height, image.width}, {height, width}, !image.alpha.empty(),
                  image.bits);
}

}  // namespace impasto
