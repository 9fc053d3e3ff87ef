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

/// sRGB at 16 bits, followed by the alpha of `image` if it has one.
vips::Handle convert(VipsImage* image, int colours, int bands) {
  const auto inks = extract(image, 0, colours);
  if (!inks) return {};
  auto converted = transform(inks.get(), colours == 4 ? "cmyk" : "srgb");
  if (!converted || bands == colours) return converted;
  auto alpha = extract(image, colours, 1);
  if (alpha && vips_image_get_format(alpha.get()) == VIPS_FORMAT_UCHAR) alpha = widen(alpha.get());
  if (!alpha) return {};
  return vips::call(
      [&](VipsImage** out) { return vips_bandjoin2(converted.get(), alpha.get(), out, nullptr); });
}

}  // namespace

SrgbImage to_srgb(VipsImage* image, const std::string& path) {
  const int colours = colours_of(vips_image_guess_interpretation(image));
  const int bands = vips_image_get_bands(image);
  if (colours == 0 || bands < colours) {
    fail(ErrorKind::input,
         "cannot read '{}': expected grey, RGB or CMYK, found {} channels of colour space {}",
         printable(path), bands,
         vips_enum_nick(VIPS_TYPE_INTERPRETATION, vips_image_get_interpretation(image)));
  }
  const bool cmyk = colours == 4;
  if (cmyk || vips::has_foreign_profile(image)) {
    if (auto converted = convert(image, colours, bands)) return {std::move(converted), 3};
    if (cmyk) {
      fail(ErrorKind::input, "cannot read '{}': its colours cannot be converted to sRGB: {}",
           printable(path), vips::take_error());
    }
    vips_error_clear();
  }
  g_object_ref(image);
  return {vips::Handle(image), colours};
}

}  // namespace impasto
