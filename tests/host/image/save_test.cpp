// SPDX-License-Identifier: MIT
#include <csignal>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <tuple>
#include <unistd.h>

#include "host/core/digest.hpp"
#include "tests/host/image/fixtures.hpp"

namespace impasto::test::save_test {
namespace {

using Case = std::tuple<std::string, int, bool>;

class RoundTrip : public testing::TestWithParam<Case> {};

TEST_P(RoundTrip, GivesTheSamePicture) {
  const auto& [format, bits, alpha] = GetParam();
  const TemporaryFolder folder;
  const std::string path = folder.file("picture." + format);
  const Image image = gradient_image(40, 61, bits, alpha);
  check_output_path(path);
  const std::string digest = save_image(image, path);
  EXPECT_EQ(digest, sha256_file(path));
  EXPECT_EQ(folder.list().size(), 1U);

  const Image loaded = load_image(path);
  const bool wide = bits == 16 && (format == "png" || format == "tif");
  EXPECT_EQ(loaded.width, image.width);
  EXPECT_EQ(loaded.height, image.height);
  EXPECT_EQ(loaded.bits, wide ? 16 : 8);
  if (format == "jpg") {
    EXPECT_TRUE(loaded.alpha.empty());
    EXPECT_TRUE(alpha || max_difference(loaded.rgb, image.rgb) < 6.0F);
    return;
  }
  const float rounding = bits == 16 && !wide ? 0.5F : 1e-4F;
  EXPECT_LT(max_difference(loaded.rgb, image.rgb), rounding);
  EXPECT_LT(max_difference(loaded.alpha, image.alpha), rounding);
}

INSTANTIATE_TEST_SUITE_P(Formats, RoundTrip,
                         testing::Combine(testing::ValuesIn(formats()), testing::Values(8, 16),
                                          testing::Bool()),
                         [](const auto& instance) {
                           return std::get<0>(instance.param) +
                                  std::to_string(std::get<1>(instance.param)) +
                                  (std::get<2>(instance.param) ? "alpha" : "opaque");
                         });

TEST(Save, PutsATransparentPictureOverWhiteInJpeg) {
  const TemporaryFolder folder;
  Image image{16, 16, std::vector<float>(16 * 16 * 3, 100.0F), std::vector<float>(16 * 16, 51.0F),
              8};
  save_image(image, folder.file("a.jpg"));
  const auto colour = colour_at(load_image(folder.file("a.jpg")), 8, 8);
  for (const float value : colour) EXPECT_NEAR(value, 0.2F * 100 + 0.8F * 255, 1.5F);
}

TEST(Save, RoundsAndClamps) {
  const TemporaryFolder folder;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Image image{1, 2, {-3.0F, 254.5F, 300.0F, 0.49F, 0.5F, nan}, {}, 8};
  save_image(image, folder.file("a.png"));
  EXPECT_EQ(load_image(folder.file("a.png")).rgb, (std::vector<float>{0, 255, 255, 0, 1, 0}));
}

TEST(Save, EmbedsTheProfileAndNoOrientation) {
  const TemporaryFolder folder;
  for (const std::string& format : formats()) {
    const std::string path = folder.file("a." + format);
    save_image(gradient_image(8, 9, 8, false), path);
    const vips::Handle file(vips_image_new_from_file(path.c_str(), nullptr));
    ASSERT_TRUE(file) << format;
    EXPECT_NE(vips_image_get_typeof(file.get(), VIPS_META_ICC_NAME), 0U) << format;
    EXPECT_FALSE(vips::has_foreign_profile(file.get())) << format;
    EXPECT_EQ(vips_image_get_orientation(file.get()), 1) << format;
  }
}

TEST(Save, KeepsTheCommentInEveryFormat) {
  const TemporaryFolder folder;
  const std::string comment = "{'seed': 7, 'note': 'brackets (inside) and (at the end)'} (last)";
  std::string longer = comment;
  for (int i = 0; i < 700; ++i) longer += fmt::format(",\"{}\": {}", i, 1.0 / (i + 1));
  for (const std::string& format : formats()) {
    const std::string path = folder.file("a." + format);
    for (const std::string& text : {comment, longer}) {
      save_image(gradient_image(8, 9, 8, false), path, text);
      EXPECT_EQ(read_comment(path), text) << format;
    }
    save_image(gradient_image(8, 9, 8, false), path);
    EXPECT_EQ(read_comment(path), "") << format;
  }
}

TEST(Save, GivesTheSameBytesEveryTime) {
  const TemporaryFolder folder;
  for (const std::string& format : formats()) {
    const Image image = gradient_image(50, 70, 16, true);
    EXPECT_EQ(save_image(image, folder.file("a." + format), "c"),
              save_image(image, folder.file("b." + format), "c"));
  }
}

TEST(Save, RefusesWhatItCannotWriteBeforeTheWork) {
  const TemporaryFolder folder;
  const Image image = gradient_image(4, 4, 8, false);
  for (const auto* name : {"a.gif", "a", "png", "a.png.bak"}) {
    const std::string path = folder.file(name);
    EXPECT_NE(error_of(ErrorKind::usage, [&] { check_output_path(path); }).find(".png"),
              std::string::npos);
    error_of(ErrorKind::usage, [&] { save_image(image, path); });
  }
  error_of(ErrorKind::output, [&] { check_output_path(folder.file("missing/a.png")); });
  error_of(ErrorKind::output, [&] { save_image(image, folder.file("missing/a.png")); });
  EXPECT_TRUE(folder.list().empty());
  EXPECT_NO_THROW(check_output_path("a.PNG"));
}

TEST(Save, RefusesAFolderItMayNotWriteTo) {
  const TemporaryFolder folder;
  const Image image = gradient_image(4, 4, 8, false);
  ASSERT_EQ(::chmod((folder.file("")).c_str(), 0555), 0);
  constexpr uid_t nobody = 65534;
  const uid_t user = ::geteuid();  // nothing is forbidden to root
  ASSERT_EQ(::seteuid(user == 0 ? nobody : user), 0);
  EXPECT_THROW(check_output_path(folder.file("a.png")), Error);
  EXPECT_THROW(save_image(image, folder.file("a.png")), Error);
  ASSERT_EQ(::seteuid(user), 0);
  ::chmod((folder.file("")).c_str(), 0755);
  EXPECT_TRUE(folder.list().empty());
  error_of(ErrorKind::output, [&] { save_image(image, "/proc/a.png"); });
}

TEST(Save, RefusesMoreThanTheFormatHolds) {
  const TemporaryFolder folder;
  const Image image{1, 16384, std::vector<float>(16384 * 3), {}, 8};
  EXPECT_NE(
      error_of(ErrorKind::output, [&] { save_image(image, folder.file("a.webp")); }).find("16383"),
      std::string::npos);
}

/// Files may not grow beyond `bytes` while this lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

TEST(Save, AFailedWriteLeavesWhatWasThere) {
  const TemporaryFolder folder;
  write_all(folder.file("a.png"), "before");
  std::string message;
  {
    const FileSizeLimit limit(1000);
    message = error_of(ErrorKind::output, [&] {
      save_image(gradient_image(300, 300, 16, true), folder.file("a.png"));
    });
  }
  EXPECT_NE(message.find("a.png"), std::string::npos) << message;
  EXPECT_EQ(folder.list(), std::vector<std::string>{"a.png"});
  EXPECT_EQ(read_all(folder.file("a.png")), "before");
}

/// The frames of a film, below one another.
vips::Handle frames_of(const std::string& path) {
  return vips::call(
      [&](VipsImage** out) { return vips_webpload(path.c_str(), out, "n", -1, nullptr); });
}

TEST(Film, HasItsFramesInTheirOrder) {
  const TemporaryFolder folder;
  const std::string path = folder.file("a.webp");
  Animation film;
  const std::vector<float> greys = {20, 120, 220};
  for (const float grey : greys) {
    film.add({24, 32, std::vector<float>(24 * 32 * 3, grey), {}, 8}, static_cast<int>(2 * grey));
  }
  film.save(path, "a recipe");
  EXPECT_EQ(folder.list().size(), 1U);
  EXPECT_EQ(read_comment(path), "a recipe");
  const vips::Handle frames = frames_of(path);
  ASSERT_TRUE(frames);
  EXPECT_EQ(vips_image_get_page_height(frames.get()), 24);
  EXPECT_EQ(vips_image_get_n_pages(frames.get()), 3);
  EXPECT_FALSE(vips::has_foreign_profile(frames.get()));
  int* begin = nullptr;
  int count = 0;
  ASSERT_EQ(vips_image_get_array_int(frames.get(), "delay", &begin, &count), 0);
  EXPECT_EQ(std::vector(begin, begin + count), (std::vector{40, 240, 440}));
  for (int i = 0; i < 3; ++i) {
    const float grey = greys[static_cast<std::size_t>(i)];
    double mean = 0;
    const auto frame = vips::call(
        [&](VipsImage** out) { return vips_crop(frames.get(), out, 0, 24 * i, 32, 24, nullptr); });
    const auto red = vips::call(
        [&](VipsImage** out) { return vips_extract_band(frame.get(), out, 0, nullptr); });
    ASSERT_EQ(vips_avg(red.get(), &mean, nullptr), 0);
    EXPECT_NEAR(mean, grey, 2);
  }
}

TEST(Film, KeepsTransparency) {
  const TemporaryFolder folder;
  Animation film;
  const Image frame = gradient_image(24, 32, 8, true);
  film.add(frame, 80);
  film.save(folder.file("a.webp"));
  const Image first = load_image(folder.file("a.webp"));
  EXPECT_LT(max_difference(first.alpha, frame.alpha), 1);
}

TEST(Film, RefusesFramesOfSeveralForms) {
  Animation film;
  film.add(gradient_image(24, 32, 8, false), 80);
  error_of(ErrorKind::internal, [&] { film.add(gradient_image(24, 31, 8, false), 80); });
  error_of(ErrorKind::internal, [&] { film.add(gradient_image(24, 32, 8, true), 80); });
  error_of(ErrorKind::internal, [] { Animation().save("a.webp"); });
}

}  // namespace
}  // namespace impasto::test::save_test
