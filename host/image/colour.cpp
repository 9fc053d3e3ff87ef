// SPDX-License-Identifier: MIT
#include "host/image/colour.hpp"

#include "host/core/error.hpp"
#include "host/image/file.hpp"

namespace impasto {
namespace {

/// Colour channels of an interpretation, 0 for those that pictures are not kept in.
int colours_of(VipsInterpretation interpretation) {
  switch (interpretation) {
    case VIPS_INTERPRETATION_B_W:
    case VIPS_INTERPRETATION_GREY16: return 1;
    case VIPS_INTERPRETATION_RGB:
    case VIPS_INTERPRETATION_sRGB:
    case VIPS_INTERPRETATION_RGB16: return 3;
    case VIPS_INTERPRETATION_CMYK: return 4;
    default: return 0;
  }
}

vips::Handle extract(VipsImage* image, int first, int count) {
  return vips::call(
      [&](VipsImage** out) { return vips_extract_band(image, out, first, "n", count, nullptr); });
}

/// 16 bits, so that rounding costs nothing; the embedded profile first, `fallback` without one.
vips::Handle transform(VipsImage* image, const char* fallback) {
  return vips::call([&](VipsImage** out) {
    return vips_icc_transform(image, out, "srgb", "embedded", TRUE, "input_profile", fallback,
                              "intent", VIPS_INTENT_RELATIVE, "black_point_compensation", TRUE,
                              "depth", 16, nullptr);
  });
}

/// 8 bits to 16 without a change of value: 255 becomes 65535.
vips::Handle widen(VipsImage* image) {
  const auto scaled =
      vips::call([&](VipsImage** out) { return vips_linear1(image, out, 257.0, 0.0, nullptr); });
  if (!scaled) return {};
  return vips::call(
      [&](VipsImage** out) { return vips_cast(scaled.get(), out, VIPS_FORMAT_USHORT, nullptr); });
}

vips::Handle join_alpha(const vips::Handle& colours, vips::Handle alpha) {
  if (alpha && vips_image_get_format(alpha.get()) != vips_image_get_format(colours.get())) {
    alpha = widen(alpha.get());
  }
  if (!alpha) return {};
  return vips::call(
      [&](VipsImage** out) { return vips_bandjoin2(colours.get(), alpha.get(), out, nullptr); });
}

}  // namespace

SrgbImage to_srgb(VipsImage* image, const std::string& path) {
  const int colours = colours_of(vips_image_guess_interpretation(image));
  const int bands = vips_image_get_bands(image);
  const VipsBandFormat format = vips_image_get_format(image);
  if (format != VIPS_FORMAT_UCHAR && format != VIPS_FORMAT_USHORT) {
    fail(ErrorKind::input, "cannot read '{}': expected 8 or 16 bits per channel, found {}",
         printable(path), vips_enum_nick(VIPS_TYPE_BAND_FORMAT, format));
  }
  if (colours == 0 || bands < colours) {
    fail(ErrorKind::input,
         "cannot read '{}': expected grey, RGB or CMYK, found {} channels of colour space {}",
         printable(path), bands,
         vips_enum_nick(VIPS_TYPE_INTERPRETATION, vips_image_get_interpretation(image)));
  }
  SrgbImage result{extract(image, 0, colours), colours};
  const bool cmyk = colours == 4;
  if (result.image && (cmyk || vips::has_foreign_profile(image))) {
    auto converted = transform(result.image.get(), cmyk ? "cmyk" : "srgb");
    if (converted) {
      result = {std::move(converted), 3};
    } else if (cmyk) {
      result.image.reset();
    } else {
      vips_error_clear();
    }
  }
  if (result.image && bands > colours) {
    result.image = join_alpha(result.image, extract(image, colours, 1));
  }
  if (!result.image) {
    fail(ErrorKind::input, "cannot read '{}': its colours cannot be converted to sRGB: {}",
         printable(path), vips::take_error());
  }
  return result;
}

}  // namespace impasto
