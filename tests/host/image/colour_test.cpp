// SPDX-License-Identifier: MIT
#include <array>
#include <cmath>
#include <gmock/gmock.h>
#include <tuple>

#include "host/image/resize.hpp"
#include "tests/host/image/fixtures.hpp"

namespace impasto::test::colour_test {
namespace {

Image load(VipsImage* image, const std::string& format) {
  const TemporaryFolder folder;
  write_all(folder.file("a"), encode(image, format));
  return load_image(folder.file("a"));
}

Image load(const Pixels& pixels, const std::string& format) {
  return load(to_vips(pixels).get(), format);
}

/// One colour all over.
Pixels flat(std::vector<std::uint16_t> colour, VipsInterpretation interpretation, bool wide) {
  Pixels pixels{16, 16, static_cast<int>(colour.size()), interpretation, {}, wide};
  for (int i = 0; i < 256; ++i)
    pixels.samples.insert(pixels.samples.end(), colour.begin(), colour.end());
  return pixels;
}

void expect_colour(const Image& image, std::array<float, 3> expected, float tolerance) {
  const auto found = colour_at(image, 8, 8);
  for (std::size_t c = 0; c < 3; ++c)
    EXPECT_NEAR(found[c], expected[c], tolerance) << "channel " << c;
}

TEST(Colour, GreyBecomesRgb) {
  for (const std::string format : {"jpg", "png", "tif"}) {
    SCOPED_TRACE(format);
    const Image image = load(flat({77}, VIPS_INTERPRETATION_B_W, false), format);
    expect_colour(image, {77, 77, 77}, 0.5F);
    EXPECT_TRUE(image.alpha.empty());
    EXPECT_EQ(image.bits, 8);
  }
}

TEST(Colour, SixteenBitsKeepTheirFraction) {
  for (const std::string format : {"png", "tif"}) {
    SCOPED_TRACE(format);
    const Image colour = load(flat({257, 30000, 65535}, VIPS_INTERPRETATION_RGB16, true), format);
    EXPECT_EQ(colour_at(colour, 3, 4), (std::array{1.0F, 30000 / 257.0F, 255.0F}));
    EXPECT_EQ(colour.bits, 16);
    const Image grey = load(flat({30001}, VIPS_INTERPRETATION_GREY16, true), format);
    EXPECT_EQ(colour_at(grey, 3, 4)[2], 30001 / 257.0F);
    const Image clear = load(flat({30001, 12345}, VIPS_INTERPRETATION_GREY16, true), format);
    EXPECT_EQ(clear.alpha.at(0), 12345 / 257.0F);
    EXPECT_EQ(colour_at(clear, 3, 4)[1], 30001 / 257.0F);
  }
}

TEST(Colour, AlphaIsKeptAside) {
  for (const std::string format : {"png", "tif", "webp"}) {
    SCOPED_TRACE(format);
    const Image image = load(flat({10, 20, 30, 40}, VIPS_INTERPRETATION_sRGB, false), format);
    expect_colour(image, {10, 20, 30}, 0);
    EXPECT_EQ(image.alpha, std::vector<float>(256, 40.0F));
    const Image opaque = load(flat({10, 20, 30, 255}, VIPS_INTERPRETATION_sRGB, false), format);
    EXPECT_TRUE(opaque.alpha.empty());
  }
  const Image grey = load(flat({50, 60}, VIPS_INTERPRETATION_B_W, false), "png");
  expect_colour(grey, {50, 50, 50}, 0);
  EXPECT_EQ(grey.alpha.at(7), 60.0F);
}

/// The left half opaque and grey, the right half transparent over this colour.
Pixels half_hidden(std::vector<std::uint16_t> hidden, VipsInterpretation interpretation,
                   bool wide) {
  const auto most = static_cast<std::uint16_t>(wide ? 65535 : 255);
  Pixels pixels{64, 48, static_cast<int>(hidden.size()) + 1, interpretation, {}, wide};
  for (int i = 0; i < 64 * 48; ++i) {
    const bool seen = i % 64 < 32;
    for (const std::uint16_t value : hidden) pixels.samples.push_back(seen ? most / 2 : value);
    pixels.samples.push_back(seen ? most : 0);
  }
  return pixels;
}

TEST(Colour, UnderAlphaZeroNeverMatters) {
  const TemporaryFolder folder;
  const auto load_at = [&](const Pixels& pixels, const std::string& format,
                           std::optional<std::int64_t> size) {
    write_all(folder.file("a"), encode(to_vips(pixels).get(), format));
    return load_image(folder.file("a"), size);
  };
  using Case = std::tuple<std::string, VipsInterpretation, bool>;
  for (const auto& [format, interpretation, wide] :
       {Case{"png", VIPS_INTERPRETATION_sRGB, false}, Case{"png", VIPS_INTERPRETATION_RGB16, true},
        Case{"png", VIPS_INTERPRETATION_B_W, false}, Case{"tif", VIPS_INTERPRETATION_sRGB, false},
        Case{"tif", VIPS_INTERPRETATION_RGB16, true},
        Case{"webp", VIPS_INTERPRETATION_sRGB, false}}) {
    SCOPED_TRACE(format + (wide ? " of 16 bits" : ""));
    const bool grey = interpretation == VIPS_INTERPRETATION_B_W;
    const auto most = static_cast<std::uint16_t>(wide ? 65535 : 255);
    const std::vector<std::uint16_t> black(grey ? 1 : 3, 0);
    std::vector<std::uint16_t> magenta = {most, 0, most};
    magenta.resize(black.size());
    for (const auto size : {std::optional<std::int64_t>(), std::optional<std::int64_t>(48),
                            std::optional<std::int64_t>(100)}) {
      const Image dark = load_at(half_hidden(black, interpretation, wide), format, size);
      const Image bright = load_at(half_hidden(magenta, interpretation, wide), format, size);
      EXPECT_EQ(bright.rgb, dark.rgb);
      EXPECT_EQ(bright.alpha, dark.alpha);
      EXPECT_EQ(colour_at(bright, 3, bright.width - 1), (std::array{0.0F, 0.0F, 0.0F}));
      EXPECT_THAT(bright.notes, testing::IsEmpty());
    }
  }
}

TEST(Colour, OfAWhollyTransparentPictureIsBlackAndNoted) {
  for (const std::string format : {"png", "tif", "webp"}) {
    const Image image = load(flat({255, 0, 255, 0}, VIPS_INTERPRETATION_sRGB, false), format);
    EXPECT_THAT(image.rgb, testing::Each(0.0F)) << format;
    EXPECT_THAT(image.notes, testing::ElementsAre(testing::HasSubstr("wholly transparent")));
  }
}

TEST(Colour, PaletteAndOneBitPngAreRead) {
  const TemporaryFolder folder;
  const vips::Handle image = to_vips(flat({200, 100, 50}, VIPS_INTERPRETATION_sRGB, false));
  ASSERT_EQ(vips_pngsave(image.get(), (folder.file("a")).c_str(), "palette", TRUE, nullptr), 0);
  expect_colour(load_image(folder.file("a")), {200, 100, 50}, 1);
  const vips::Handle white = to_vips(flat({255}, VIPS_INTERPRETATION_B_W, false));
  ASSERT_EQ(vips_pngsave(white.get(), (folder.file("b")).c_str(), "bitdepth", 1, nullptr), 0);
  expect_colour(load_image(folder.file("b")), {255, 255, 255}, 0);
}

/// By hand, so that the test does not ask the code that it tests: sRGB to linear, the matrix from
/// sRGB's primaries to those of Display P3 (same white), and the same curve back.
std::array<float, 3> p3_of_srgb(std::array<double, 3> colour) {
  constexpr std::array<std::array<double, 3>, 3> matrix{
      {{0.822462, 0.177538, 0}, {0.033194, 0.966806, 0}, {0.017083, 0.072397, 0.910520}}};
  for (double& value : colour) {
    value /= 255;
    value = value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4);
  }
  std::array<float, 3> result{};
  for (std::size_t i = 0; i < 3; ++i) {
    const double linear =
        matrix[i][0] * colour[0] + matrix[i][1] * colour[1] + matrix[i][2] * colour[2];
    const double coded =
        linear <= 0.0031308 ? 12.92 * linear : 1.055 * std::pow(linear, 1 / 2.4) - 0.055;
    result[i] = static_cast<float>(255 * coded);
  }
  return result;
}

void embed(VipsImage* image, const char* profile) {
  VipsBlob* blob = nullptr;
  ASSERT_EQ(vips_profile_load(profile, &blob, nullptr), 0);
  std::size_t length = 0;
  const void* data = vips_blob_get(blob, &length);
  vips_image_set_blob_copy(image, VIPS_META_ICC_NAME, data, length);
  vips_area_unref(&blob->area);
}

TEST(Colour, AnEmbeddedProfileIsConvertedToSrgb) {
  const std::array<std::array<double, 3>, 4> colours{
      {{200, 100, 50}, {60, 150, 200}, {128, 128, 128}, {220, 210, 90}}};
  for (const auto& colour : colours) {
    std::vector<std::uint16_t> coded;
    for (const float value : p3_of_srgb(colour)) {
      coded.push_back(static_cast<std::uint16_t>(std::lround(257 * value)));
    }
    const std::array expected{static_cast<float>(colour[0]), static_cast<float>(colour[1]),
                              static_cast<float>(colour[2])};
    for (const std::string format : {"png", "tif"}) {
      SCOPED_TRACE(format);
      const vips::Handle wide = to_vips(flat(coded, VIPS_INTERPRETATION_RGB16, true));
      embed(wide.get(), "p3");
      const Image image = load(wide.get(), format);
      expect_colour(image, expected, 1.0F);
      EXPECT_EQ(image.bits, 16);
    }
    auto with_alpha = flat(coded, VIPS_INTERPRETATION_sRGB, false);
    with_alpha = flat(
        {static_cast<std::uint16_t>(coded[0] / 257), static_cast<std::uint16_t>(coded[1] / 257),
         static_cast<std::uint16_t>(coded[2] / 257), 90},
        VIPS_INTERPRETATION_sRGB, false);
    const vips::Handle narrow = to_vips(with_alpha);
    embed(narrow.get(), "p3");
    const Image image = load(narrow.get(), "webp");
    expect_colour(image, expected, 2.5F);
    EXPECT_EQ(image.alpha.at(0), 90.0F);
    EXPECT_EQ(image.bits, 8);
  }
}

/// What a file holds, unconverted.
std::vector<double> stored(const std::string& path) {
  const vips::Handle file(vips_image_new_from_file(path.c_str(), nullptr));
  double* values = nullptr;
  int count = 0;
  EXPECT_EQ(vips_getpoint(file.get(), &values, &count, 8, 8, nullptr), 0);
  const std::vector<double> result(values, values + count);
  g_free(values);
  return result;
}

TEST(Colour, AProfileThatIsKeptGivesBackTheValuesOfItsFile) {
  const TemporaryFolder folder;
  for (const std::string& format : formats()) {
    SCOPED_TRACE(format);
    const bool alpha = format == "png" || format == "tif";
    std::vector<std::uint16_t> coded = {190, 110, 60};
    if (alpha) coded.push_back(90);
    const vips::Handle p3 = to_vips(flat(coded, VIPS_INTERPRETATION_sRGB, false));
    embed(p3.get(), "p3");
    Image image = load(p3.get(), format);
    const std::string path = folder.file("a." + format);
    save_image(image, path);
    const std::vector<double> kept = stored(path);
    for (std::size_t c = 0; c < coded.size(); ++c) EXPECT_NEAR(kept[c], coded[c], 1) << c;
    EXPECT_EQ(load_image(path).profile, image.profile);

    const Image again = load_image(path);
    EXPECT_LT(max_difference(again.rgb, image.rgb), 1.5F);

    image.profile.clear();
    save_image(image, path);
    EXPECT_GT(std::abs(stored(path)[0] - coded[0]), 5) << "the colour means the same in both";
    EXPECT_TRUE(load_image(path).profile.empty());
  }
}

TEST(Colour, AnotherMakersProfileOfSrgbIsKept) {
  const auto pixels = flat({200, 100, 50}, VIPS_INTERPRETATION_sRGB, false);
  const vips::Handle plain = to_vips(pixels);
  EXPECT_TRUE(load(plain.get(), "png").profile.empty());
  embed(plain.get(), "srgb");
  EXPECT_TRUE(load(plain.get(), "png").profile.empty());
  // The same profile under another date.
  std::vector<std::byte> other = vips::srgb_profile();
  other[25] ^= std::byte{1};
  vips_image_set_blob_copy(plain.get(), VIPS_META_ICC_NAME, other.data(), other.size());
  const Image image = load(plain.get(), "png");
  EXPECT_EQ(image.profile, other);
  const TemporaryFolder folder;
  save_image(image, folder.file("a.png"));
  EXPECT_EQ(stored(folder.file("a.png")), (std::vector<double>{200, 100, 50}));
}

TEST(Colour, AProfileStaysWithAPictureOfAnotherSize) {
  const vips::Handle p3 = to_vips(flat({190, 110, 60}, VIPS_INTERPRETATION_sRGB, false));
  embed(p3.get(), "p3");
  const Image image = load(p3.get(), "png");
  EXPECT_FALSE(image.profile.empty());
  EXPECT_EQ(resize(image, 8, 20).profile, image.profile);
}

TEST(Colour, CmykJpegIsConverted) {
  // None of the inks is white paper; all of the black is black; cyan and yellow make a green.
  const auto cmyk = [](std::uint16_t c, std::uint16_t m, std::uint16_t y, std::uint16_t k,
                       bool profile) {
    const vips::Handle image = to_vips(flat({c, m, y, k}, VIPS_INTERPRETATION_CMYK, false));
    if (profile) embed(image.get(), "cmyk");
    const Image loaded = load(image.get(), "jpg");
    EXPECT_TRUE(loaded.profile.empty()) << "the result is not of four inks";
    return colour_at(loaded, 8, 8);
  };
  for (const bool profile : {false, true}) {
    for (const float value : cmyk(0, 0, 0, 0, profile)) EXPECT_GT(value, 250);
    for (const float value : cmyk(255, 255, 255, 255, profile)) EXPECT_LT(value, 30);
    const auto green = cmyk(255, 0, 255, 0, profile);
    EXPECT_GT(green[1], green[0] + 80);
    EXPECT_GT(green[1], green[2] + 40);
  }
}

TEST(Colour, AProfileThatDoesNotFitIsIgnored) {
  const auto pixels = flat({200, 100, 50}, VIPS_INTERPRETATION_sRGB, false);
  const vips::Handle garbage = to_vips(pixels);
  const std::string noise(500, '\x5A');
  vips_image_set_blob_copy(garbage.get(), VIPS_META_ICC_NAME, noise.data(), noise.size());
  const Image unconverted = load(garbage.get(), "tif");
  expect_colour(unconverted, {200, 100, 50}, 0.5F);
  EXPECT_TRUE(unconverted.profile.empty());
  const vips::Handle mismatched = to_vips(pixels);
  embed(mismatched.get(), "cmyk");
  expect_colour(load(mismatched.get(), "tif"), {200, 100, 50}, 0.5F);
}

TEST(Colour, FloatingPointTiffIsRefused) {
  const TemporaryFolder folder;
  const vips::Handle image = to_vips(flat({10, 20, 30}, VIPS_INTERPRETATION_sRGB, false));
  const vips::Handle real = vips::call(
      [&](VipsImage** out) { return vips_cast(image.get(), out, VIPS_FORMAT_FLOAT, nullptr); });
  write_all(folder.file("a.tif"), encode(real.get(), "tif"));
  EXPECT_NE(
      error_of(ErrorKind::input, [&] { load_image(folder.file("a.tif")); }).find("8 or 16 bits"),
      std::string::npos);
}

}  // namespace
}  // namespace impasto::test::colour_test
