// SPDX-License-Identifier: MIT
// Pictures: the first bytes, the header, the comment, the colours, the orientation. What libvips' decoders do is
// theirs.
#include "host/image/decode.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/host/image/fixtures.hpp"

namespace impasto::fuzz {
namespace {

test::Pixels pixels(int bands, VipsInterpretation interpretation, bool wide) {
  test::Pixels made{7, 5, bands, interpretation, {}, wide};
  const int largest = wide ? 65535 : 255;
  for (int i = 0; i < made.width * made.height * bands; ++i) {
    made.samples.push_back(static_cast<std::uint16_t>(i * 997 % largest));
  }
  return made;
}

}  // namespace

std::vector<std::string> seeds() {
  std::vector<std::string> files;
  for (const std::string& format : test::formats()) {
    const auto colour = test::to_vips(pixels(3, VIPS_INTERPRETATION_sRGB, false));
    files.push_back(test::encode(colour.get(), format));
    vips_image_set_int(colour.get(), VIPS_META_ORIENTATION, 6);
    const auto& profile = vips::srgb_profile();
    vips_image_set_blob_copy(colour.get(), VIPS_META_ICC_NAME, profile.data(), profile.size());
    files.push_back(test::encode(colour.get(), format));
    if (format == "jpg") continue;
    const auto with_alpha = test::to_vips(pixels(4, VIPS_INTERPRETATION_sRGB, false));
    files.push_back(test::encode(with_alpha.get(), format));
    if (format == "webp") continue;
    const auto wide = test::to_vips(pixels(2, VIPS_INTERPRETATION_GREY16, true));
    files.push_back(test::encode(wide.get(), format));
  }
  const auto inks = test::to_vips(pixels(4, VIPS_INTERPRETATION_CMYK, false));
  files.push_back(test::encode(inks.get(), "jpg"));
  return files;
}

void read_input(const std::string& path) {
  ImageLimits limits;
  limits.max_pixels = 100'000;  // a header may declare anything
  try {
    read_comment(path);
  } catch (const Error&) {  // refused for a reason of its own
  }
  load_image(path, 5, limits);
}

}  // namespace impasto::fuzz
