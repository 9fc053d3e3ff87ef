// SPDX-License-Identifier: MIT
#include "host/image/decode.hpp"

#include "host/core/error.hpp"
#include "host/image/colour.hpp"

namespace impasto {
namespace {

using vips::Handle;

/// Opens the file's header; the pixels follow when they are asked for. The loader is named here, so
/// that libvips cannot choose another one.
Handle open(std::span<const std::byte> bytes, ImageFormat format) {
  return vips::call([&](VipsImage** out) {
    const auto load = [&](auto loader) {
      return loader(const_cast<std::byte*>(bytes.data()), bytes.size(), out, "access",
                    VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_ERROR, nullptr);
    };
    switch (format) {
      case ImageFormat::jpeg: return load(vips_jpegload_buffer);
      case ImageFormat::png: return load(vips_pngload_buffer);
      case ImageFormat::webp: return load(vips_webpload_buffer);
      case ImageFormat::tiff: return load(vips_tiffload_buffer);
    }
    return -1;
  });
}

void check_header(VipsImage* image, const std::string& path, const ImageLimits& limits) {
  const std::int64_t width = vips_image_get_width(image);
  const std::int64_t height = vips_image_get_height(image);
  if (width > limits.max_side || height > limits.max_side || width * height > limits.max_pixels) {
    fail(ErrorKind::input,
         "cannot read '{}': it declares {}×{} pixels, the limit is {} a side and {} in all",
         printable(path), width, height, limits.max_side, limits.max_pixels);
  }
  constexpr int max_bands = 8;  // CMYK, alpha and a few that are not looked at
  if (vips_image_get_bands(image) > max_bands) {
    fail(ErrorKind::input, "cannot read '{}': it declares {} channels, the limit is {}",
         printable(path), vips_image_get_bands(image), max_bands);
  }
  const VipsBandFormat format = vips_image_get_format(image);
  if (format != VIPS_FORMAT_UCHAR && format != VIPS_FORMAT_USHORT) {
    fail(ErrorKind::input, "cannot read '{}': expected 8 or 16 bits per channel, found {}",
         printable(path), vips_enum_nick(VIPS_TYPE_BAND_FORMAT, format));
  }
}

/// Decodes, by one thread: with more, libvips 8.14 now and then loses an error in the last rows and
/// takes a cut file for a whole one (8 of 1000 loads).
Handle read_pixels(VipsImage* image) {
  vips_image_set_int(image, VIPS_META_CONCURRENCY, 1);
  Handle pixels(vips_image_copy_memory(image));
  if (pixels) vips_image_remove(pixels.get(), VIPS_META_CONCURRENCY);
  return pixels;
}

/// Computed, and turned upright by the orientation that a camera noted.
Handle make_upright(VipsImage* image) {
  Handle pixels(vips_image_copy_memory(image));
  if (!pixels || vips_image_get_orientation(pixels.get()) == 1) return pixels;
  const auto turned =
      vips::call([&](VipsImage** out) { return vips_autorot(pixels.get(), out, nullptr); });
  return turned ? Handle(vips_image_copy_memory(turned.get())) : Handle();
}

template <class Sample>
const Sample* row_of(VipsImage* image, std::int64_t y) {
  const auto* data = static_cast<const Sample*>(vips_image_get_data(image));
  return data + y * vips_image_get_width(image) * vips_image_get_bands(image);
}

template <class Sample>
void convert_row(const Sample* row, std::int64_t width, int colours, int bands, float* rgb,
                 float* alpha) {
  constexpr float scale = sizeof(Sample) == 1 ? 1.0F : 257.0F;
  const int green = colours == 3 ? 1 : 0;
  const int blue = colours == 3 ? 2 : 0;
  for (std::int64_t x = 0; x < width; ++x, row += bands, rgb += 3) {
    rgb[0] = static_cast<float>(row[0]) / scale;
    rgb[1] = static_cast<float>(row[green]) / scale;
    rgb[2] = static_cast<float>(row[blue]) / scale;
    if (alpha != nullptr) alpha[x] = static_cast<float>(row[colours]) / scale;
  }
}

}  // namespace

DecodedImage::DecodedImage(Handle pixels, int colours, int file_bits)
    : pixels_(std::move(pixels)),
      colours_(colours),
      file_bits_(file_bits),
      wide_(vips_image_get_format(pixels_.get()) == VIPS_FORMAT_USHORT),
      has_alpha_(wide_ ? any_transparent<std::uint16_t>() : any_transparent<std::uint8_t>()) {}

template <class Sample>
bool DecodedImage::any_transparent() const {
  const int bands = vips_image_get_bands(pixels_.get());
  if (bands == colours_) return false;
  const auto* sample = row_of<Sample>(pixels_.get(), 0) + colours_;
  for (std::int64_t i = 0; i < height() * width(); ++i, sample += bands) {
    if (*sample != static_cast<Sample>(-1)) return true;
  }
  return false;
}

void DecodedImage::read_row(std::int64_t y, float* rgb, float* alpha) const {
  const int bands = vips_image_get_bands(pixels_.get());
  float* const alpha_out = has_alpha_ ? alpha : nullptr;
  if (wide_) {
    convert_row(row_of<std::uint16_t>(pixels_.get(), y), width(), colours_, bands, rgb, alpha_out);
  } else {
    convert_row(row_of<std::uint8_t>(pixels_.get(), y), width(), colours_, bands, rgb, alpha_out);
  }
}

DecodedImage decode(std::span<const std::byte> bytes, const std::string& path,
                    const ImageLimits& limits) {
  vips::start();
  const ImageFormat format = recognise_format(bytes, path);
  const auto fail_decode = [&]() {
    fail(ErrorKind::input, "cannot read '{}': damaged or incomplete {}: {}", printable(path),
         name_of(format), vips::take_error());
  };
  const Handle header = open(bytes, format);
  if (!header) fail_decode();
  check_header(header.get(), path, limits);
  const int file_bits = vips_image_get_format(header.get()) == VIPS_FORMAT_USHORT ? 16 : 8;
  const Handle decoded = read_pixels(header.get());
  if (!decoded) fail_decode();
  const SrgbImage srgb = to_srgb(decoded.get(), path);
  Handle pixels = make_upright(srgb.image.get());
  if (!pixels) fail_decode();
  return {std::move(pixels), srgb.colours, file_bits};
}

}  // namespace impasto
