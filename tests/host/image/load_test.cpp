// SPDX-License-Identifier: MIT
#include <array>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <tuple>

#include "tests/host/image/fixtures.hpp"

namespace impasto::test::load_test {
namespace {

constexpr std::array<std::array<float, 3>, 4> corners{
    {{200, 40, 40}, {40, 180, 40}, {40, 60, 210}, {230, 220, 60}}};

/// Four squares of 16 pixels in a picture of 48×32: A and B above, C and D below, the outer third
/// grey.
Pixels quadrants() {
  Pixels pixels{48, 32, 3, VIPS_INTERPRETATION_sRGB, {}, false};
  for (int y = 0; y < 32; ++y) {
    for (int x = 0; x < 48; ++x) {
      const bool left = x < 16;
      const bool right = x >= 32;
      for (std::size_t c = 0; c < 3; ++c) {
        const auto corner = static_cast<std::size_t>((y >= 16 ? 2 : 0) + (right ? 1 : 0));
        pixels.samples.push_back(left || right ? static_cast<std::uint16_t>(corners[corner][c])
                                               : 128);
      }
    }
  }
  return pixels;
}

/// A file with an orientation. libvips writes none into PNG, so there the chunk is made here.
std::string oriented_file(const std::string& format, int orientation) {
  const vips::Handle image = to_vips(quadrants());
  vips_image_set_int(image.get(), VIPS_META_ORIENTATION, orientation);
  std::string bytes = encode(image.get(), format);
  if (format == "png") {
    // A TIFF header, one entry: tag 0x0112, type SHORT, one value; no further directory.
    std::string exif("MM\0*\0\0\0\10\0\1\1\22\0\3\0\0\0\1\0", 19);
    exif += static_cast<char>(orientation);
    exif.append(6, '\0');
    bytes.insert(33, png_chunk("eXIf", exif));
  }
  return bytes;
}

class Orientation : public testing::TestWithParam<std::tuple<std::string, int>> {};

TEST_P(Orientation, IsApplied) {
  // Corners as seen: upper left, upper right, lower left, lower right, from the EXIF definition.
  constexpr std::array<const char*, 8> seen{"ABCD", "BADC", "DCBA", "CDAB",
                                            "ACBD", "CADB", "DBCA", "BDAC"};
  const auto& [format, orientation] = GetParam();
  const TemporaryFolder folder;
  write_all(folder.file("a"), oriented_file(format, orientation));

  const Image loaded = load_image(folder.file("a"));
  ASSERT_EQ(loaded.width, orientation < 5 ? 48 : 32);
  ASSERT_EQ(loaded.height, orientation < 5 ? 32 : 48);
  const std::string want = seen[static_cast<std::size_t>(orientation - 1)];
  for (std::size_t i = 0; i < 4; ++i) {
    const auto found =
        colour_at(loaded, i < 2 ? 8 : loaded.height - 8, i % 2 == 0 ? 8 : loaded.width - 8);
    const auto expected = corners[static_cast<std::size_t>(want[i] - 'A')];
    for (std::size_t c = 0; c < 3; ++c) EXPECT_NEAR(found[c], expected[c], 4) << "corner " << i;
  }
  const Image small = load_image(folder.file("a"), 24);
  EXPECT_EQ(small.width, orientation < 5 ? 24 : 16);
  EXPECT_EQ(small.height, orientation < 5 ? 16 : 24);

  save_image(loaded, folder.file("b." + format));
  EXPECT_EQ(load_image(folder.file("b." + format)).width, loaded.width);
}

INSTANTIATE_TEST_SUITE_P(Formats, Orientation,
                         testing::Combine(testing::ValuesIn(formats()), testing::Range(1, 9)),
                         [](const auto& instance) {
                           return std::get<0>(instance.param) +
                                  std::to_string(std::get<1>(instance.param));
                         });

TEST(Load, TakesAnyName) {
  const TemporaryFolder folder;
  const Image image = gradient_image(5, 6, 8, false);
  for (const auto* name :
       {"a b.png", "a[1].png", "[page=2].png", "näive 画像.png", "line\nbreak.png", "%s%n.png",
        "-o.png", "quote'\".png", "a.png[n=-1].png", ".png.png"}) {
    const std::string path = folder.file(name);
    check_output_path(path);
    save_image(image, path);
    EXPECT_EQ(load_image(path).rgb, image.rgb) << name;
  }
  EXPECT_EQ(folder.list().size(), 10U);
}

TEST(Load, GoesByContentAndNotByName) {
  const TemporaryFolder folder;
  const Image image = gradient_image(5, 6, 8, false);
  save_image(image, folder.file("a.png"));
  write_all(folder.file("b.jpg"), read_all(folder.file("a.png")));
  EXPECT_EQ(load_image(folder.file("b.jpg")).rgb, image.rgb);
}

TEST(Load, RefusesWhatIsNotAFile) {
  const TemporaryFolder folder;
  ASSERT_EQ(::mkfifo((folder.file("pipe.png")).c_str(), 0600), 0);
  write_all(folder.file("empty.png"), "");
  const auto refused = [](const std::string& path) {
    const std::string message = error_of(ErrorKind::input, [&] { load_image(path); });
    EXPECT_NE(message.find(path), std::string::npos) << message;
    return message;
  };
  EXPECT_NE(refused(folder.file("pipe.png")).find("a pipe"), std::string::npos);
  EXPECT_NE(refused(folder.file("")).find("a directory"), std::string::npos);
  EXPECT_NE(refused(folder.file("empty.png")).find("empty"), std::string::npos);
  EXPECT_NE(refused(folder.file("missing.png")).find("No such file"), std::string::npos);
  EXPECT_NE(refused("/dev/zero").find("a device"), std::string::npos);
  error_of(ErrorKind::input, [] { load_image(""); });
  error_of(ErrorKind::input, [] { load_image("missing\nfile"); });
}

TEST(Load, RefusesWhatIsNotAnImage) {
  const TemporaryFolder folder;
  const std::array contents{std::string("This is a text and not a picture.\n"),
                            std::string("GIF89a\1\0\1\0", 10),
                            std::string("P6 1 1 255 abc"),
                            std::string("<svg xmlns='http://www.w3.org/2000/svg'/>"),
                            std::string("%PDF-1.4"),
                            std::string("\0", 1),
                            std::string("RIFF"),
                            std::string("RIFF\0\0\0", 7),
                            std::string(4096, '\xFF'),
                            std::string("RIFF\0\0\0\0WAVEfmt ", 16)};
  for (const std::string& content : contents) {
    write_all(folder.file("a.png"), content);
    const std::string message =
        error_of(ErrorKind::input, [&] { load_image(folder.file("a.png")); });
    EXPECT_NE(message.find("not JPEG, PNG, WebP or TIFF"), std::string::npos) << message;
  }
}

TEST(Load, NamesThePictureThatItCannotRead) {
  const TemporaryFolder folder;
  write_all(folder.file("a.png"), "GIF89a and so on");
  EXPECT_NE(error_of(ErrorKind::input, [&] { load_image(folder.file("a.png")); })
                .find("but a GIF picture; save it as PNG first"),
            std::string::npos);
}

TEST(Load, TakesTheFirstPageOnly) {
  const TemporaryFolder folder;
  const vips::Handle image = to_vips(quadrants());
  vips_image_set_int(image.get(), VIPS_META_PAGE_HEIGHT, 16);
  for (const std::string format : {"tif", "webp"}) {
    write_all(folder.file("a"), encode(image.get(), format));
    EXPECT_EQ(load_image(folder.file("a")).height, 16) << format;
  }
}

}  // namespace
}  // namespace impasto::test::load_test
