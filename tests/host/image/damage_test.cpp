// SPDX-License-Identifier: MIT
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <gtest/gtest.h>
#include <random>
#include <sys/resource.h>
#include <thread>
#include <zlib.h>

#include "tests/host/image/fixtures.hpp"

namespace impasto::test::damage_test {
namespace {

std::int64_t peak_memory_kib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

class Damage : public testing::TestWithParam<std::string> {
 protected:
  Damage() {
    // Noise, so that the file is long and no part of it is filler.
    Image image{90, 120, {}, {}, 8};
    std::minstd_rand random(7);
    for (int i = 0; i < 90 * 120 * 3; ++i) image.rgb.push_back(static_cast<float>(random() % 256));
    path_ = folder_.file("a." + GetParam());
    save_image(image, path_, "a comment");
    bytes_ = read_all(path_);
  }

  TemporaryFolder folder_;
  std::string path_;
  std::string bytes_;
};

TEST_P(Damage, ACutFileIsRefused) {
  const auto size = bytes_.size();
  std::vector<std::size_t> lengths = {100, size / 4, size / 2, size * 3 / 4};
  for (std::size_t length = 1; length <= 40; ++length) lengths.push_back(length);
  for (const std::size_t length : lengths) {
    write_all(path_, bytes_.substr(0, length));
    const std::string message = error_of(ErrorKind::input, [&] { load_image(path_); });
    EXPECT_NE(message.find(path_), std::string::npos) << length << ": " << message;
  }
}

TEST_P(Damage, AFileThatLacksItsEndIsRefusedOrWhole) {
  // The end of a TIFF may hold nothing but its profile.
  const Image whole = load_image(path_);
  for (const std::size_t missing : {1U, 2U, 4U, 12U, 50U, 200U, 1000U, 3000U}) {
    write_all(path_, bytes_.substr(0, bytes_.size() - missing));
    try {
      EXPECT_EQ(load_image(path_).rgb, whole.rgb) << missing;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input) << error.what();
    }
  }
}

TEST_P(Damage, ACutFileIsRefusedEveryTime) {
  // With several threads libvips sometimes takes it for whole.
  write_all(path_, bytes_.substr(0, bytes_.size() * 3 / 4));
  for (int i = 0; i < 100; ++i) error_of(ErrorKind::input, [&] { load_image(path_); });
}

TEST_P(Damage, ACutFileIsRefusedWhenShrunkToo) {
  write_all(path_, bytes_.substr(0, bytes_.size() / 2));
  error_of(ErrorKind::input, [&] { load_image(path_, 16); });
}

TEST_P(Damage, AnythingMayBeInTheFile) {
  std::minstd_rand random(11);
  int refused = 0;
  ImageLimits limits;
  limits.max_pixels = 1'000'000;  // a spoilt header may declare anything
  for (int round = 0; round < 100; ++round) {
    std::string bytes = bytes_;
    // Half of the rounds spoil the header.
    const std::size_t span =
        round % 2 == 0 ? std::min<std::size_t>(bytes.size(), 300) : bytes.size();
    for (int i = 0; i < 1 + round % 20; ++i) bytes[random() % span] = static_cast<char>(random());
    write_all(path_, bytes);
    try {
      const Image image = load_image(path_, 40, limits);
      EXPECT_EQ(image.rgb.size(), static_cast<std::size_t>(3 * image.pixels()));
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input) << error.what();
      ++refused;
    }
  }
  EXPECT_GT(refused, 0);
}

TEST_P(Damage, NothingIsPrinted) {
  write_all(path_, bytes_.substr(0, bytes_.size() / 2));
  testing::internal::CaptureStderr();
  testing::internal::CaptureStdout();
  error_of(ErrorKind::input, [&] { load_image(path_); });
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

INSTANTIATE_TEST_SUITE_P(Formats, Damage, testing::ValuesIn(formats()),
                         [](const auto& instance) { return instance.param; });

/// A JPEG of noise, in one pass or in several.
std::string jpeg_bytes(bool progressive) {
  Pixels pixels{120, 90, 3, VIPS_INTERPRETATION_sRGB, {}, false};
  std::minstd_rand random(5);
  for (int i = 0; i < 120 * 90 * 3; ++i) {
    pixels.samples.push_back(static_cast<std::uint16_t>(random() % 256));
  }
  void* data = nullptr;
  std::size_t size = 0;
  const auto made = to_vips(pixels);
  EXPECT_EQ(vips_jpegsave_buffer(made.get(), &data, &size, "interlace", progressive, nullptr), 0);
  std::string bytes(static_cast<const char*>(data), size);
  g_free(data);
  return bytes;
}

class DamagedJpeg : public testing::TestWithParam<bool> {
 protected:
  /// The notes of a file with these bytes.
  std::vector<std::string> notes_of(const std::string& bytes) {
    write_all(path_, bytes);
    return load_image(path_).notes;
  }

  TemporaryFolder folder_;
  std::string path_ = folder_.file("a.jpg");
  std::string whole_ = jpeg_bytes(GetParam());
};

TEST_P(DamagedJpeg, WhoseDataEndTooEarlyIsReadWithANote) {
  EXPECT_EQ(notes_of(whole_), std::vector<std::string>());
  const auto notes = notes_of(whole_.substr(0, whole_.size() / 2) + "\xFF\xD9");
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_NE(notes[0].find(path_ + "' is damaged"), std::string::npos) << notes[0];
  EXPECT_NE(notes[0].find("premature end of data"), std::string::npos) << notes[0];
  EXPECT_EQ(notes_of(whole_), std::vector<std::string>()) << "the note is of another picture";
}

TEST_P(DamagedJpeg, HasItsNoteAlsoWhereOthersAreReadAtOnce) {
  const std::string damaged = folder_.file("damaged.jpg");
  write_all(damaged, whole_.substr(0, whole_.size() / 2) + "\xFF\xD9");
  write_all(path_, whole_);
  std::atomic<int> wrong = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&, i] {
      const std::string& path = i % 2 == 0 ? path_ : damaged;
      for (int round = 0; round < 10; ++round) {
        if (load_image(path).notes.size() != static_cast<std::size_t>(i % 2)) ++wrong;
      }
    });
  }
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0);
}

TEST_P(DamagedJpeg, ThatLacksNothingButItsEndMarkerIsWhole) {
  write_all(path_, whole_);
  const Image whole = load_image(path_);
  for (const std::size_t missing : {1U, 2U}) {
    EXPECT_EQ(notes_of(whole_.substr(0, whole_.size() - missing)), std::vector<std::string>());
    EXPECT_EQ(load_image(path_).rgb, whole.rgb);
  }
}

TEST_P(DamagedJpeg, WithMoreBehindItsEndIsWhole) {
  EXPECT_EQ(notes_of(whole_ + "SEFT and whatever a camera adds"), std::vector<std::string>());
}

INSTANTIATE_TEST_SUITE_P(Passes, DamagedJpeg, testing::Bool(), [](const auto& instance) {
  return instance.param ? "progressive" : "baseline";
});

TEST(DamagedTiff, WithJpegDataThatEndTooEarlyIsReadWithANote) {
  const TemporaryFolder folder;
  const std::string path = folder.file("a.tif");
  const auto noise = to_vips([] {
    Pixels pixels{64, 64, 3, VIPS_INTERPRETATION_sRGB, {}, false};
    std::minstd_rand random(5);
    for (int i = 0; i < 64 * 64 * 3; ++i) {
      pixels.samples.push_back(static_cast<std::uint16_t>(random() % 256));
    }
    return pixels;
  }());
  void* data = nullptr;
  std::size_t size = 0;
  ASSERT_EQ(vips_tiffsave_buffer(noise.get(), &data, &size, "compression",
                                 VIPS_FOREIGN_TIFF_COMPRESSION_JPEG, nullptr),
            0);
  std::string bytes(static_cast<const char*>(data), size);
  g_free(data);
  write_all(path, bytes);
  EXPECT_EQ(load_image(path).notes, std::vector<std::string>());
  std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(size / 4), size / 4, '\0');
  write_all(path, bytes);
  const auto notes = load_image(path).notes;
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_NE(notes[0].find("Corrupt JPEG data"), std::string::npos) << notes[0];
}

/// A small PNG with these chunks between its header and its pixels.
std::string png_with(const std::string& chunks) {
  const auto image = to_vips(
      {8, 8, 3, VIPS_INTERPRETATION_sRGB, std::vector<std::uint16_t>(8UL * 8 * 3, 90), false});
  std::string bytes = encode(image.get(), "png");
  constexpr std::size_t behind_header = 8 + 12 + 13;
  return bytes.insert(behind_header, chunks);
}

TEST(PngTexts, ThatUnfoldToAnySizeCostNothing) {
  // 7 MiB of letters in a few kilobytes; libpng itself refuses 8.
  std::vector<char> letters(std::size_t{7} << 20U, 'x');
  uLongf size = compressBound(letters.size());
  std::string packed(size, '\0');
  ASSERT_EQ(compress2(reinterpret_cast<Bytef*>(packed.data()), &size,
                      reinterpret_cast<const Bytef*>(letters.data()), letters.size(), 9),
            Z_OK);
  packed.resize(size);
  std::string chunks;
  for (int i = 0; i < 200; ++i) {
    const std::string key = "key" + std::to_string(i) + std::string(1, '\0');
    chunks += png_chunk("zTXt", key + std::string(1, '\0') + packed);
    chunks += png_chunk("iTXt", key + std::string("\1\0\0\0", 4) + packed);
  }
  const TemporaryFolder folder;
  write_all(folder.file("a.png"), png_with(chunks));
  const std::int64_t before = peak_memory_kib();
  EXPECT_EQ(load_image(folder.file("a.png")).rgb, std::vector<float>(8UL * 8 * 3, 90.0F));
  EXPECT_EQ(read_comment(folder.file("a.png")), "");
  EXPECT_LT(peak_memory_kib() - before, 64 << 10);
}

TEST(PngTexts, AreAllThatIsLeftOut) {
  const TemporaryFolder folder;
  // An orientation before the texts and a transparent colour after them.
  const std::string turn("MM\0*\0\0\0\10\0\1\1\22\0\3\0\0\0\1\0\6\0\0\0\0\0\0", 26);
  write_all(
      folder.file("a.png"),
      png_with(png_chunk("eXIf", turn) + png_chunk("tEXt", std::string("Software\0other", 14)) +
               png_chunk("tEXt", std::string("Comment\0hello", 13)) +
               png_chunk("tRNS", std::string("\0\132\0\132\0\132", 6))));
  const Image image = load_image(folder.file("a.png"));
  EXPECT_EQ(image.alpha, std::vector<float>(64, 0.0F));
  EXPECT_EQ(read_comment(folder.file("a.png")), "hello");
}

TEST(PngTexts, AreReadWhereTheyAreLongAndPlain) {
  const TemporaryFolder folder;
  const std::string text(40000, 'x');
  write_all(folder.file("a.png"),
            png_with(png_chunk("tEXt", "Comment" + std::string(1, '\0') + text)));
  EXPECT_EQ(read_comment(folder.file("a.png")), text);
}

TEST(Limits, APngWithABadHeaderHasAReason) {
  const TemporaryFolder folder;
  std::string bytes = png_with("");
  std::string header = bytes.substr(16, 13);
  header[8] = 7;  // bits
  write_all(folder.file("a.png"), bytes.replace(8, 25, png_chunk("IHDR", header)));
  const std::string message = error_of(ErrorKind::input, [&] { load_image(folder.file("a.png")); });
  EXPECT_EQ(message.find("gives no reason"), std::string::npos) << message;
}

TEST(Limits, ALargePictureNeedsNoFileOnDisk) {
  // 108 MB of pixels in a file of a few kilobytes.
  const auto image =
      vips::call([](VipsImage** out) { return vips_black(out, 6000, 6000, "bands", 3, nullptr); });
  void* data = nullptr;
  std::size_t size = 0;
  ASSERT_EQ(vips_webpsave_buffer(image.get(), &data, &size, "lossless", TRUE, "effort", 0, nullptr),
            0);
  const TemporaryFolder folder;
  write_all(folder.file("a.webp"), std::string_view(static_cast<char*>(data), size));
  g_free(data);
  const char* before = std::getenv("TMPDIR");
  const std::string kept = before == nullptr ? "" : before;
  ::setenv("TMPDIR", folder.file("absent").c_str(), 1);
  EXPECT_NO_THROW(load_image(folder.file("a.webp"), 16));
  if (before == nullptr) {
    ::unsetenv("TMPDIR");
  } else {
    ::setenv("TMPDIR", kept.c_str(), 1);
  }
}

/// A small PNG whose header declares another size.
std::string png_declaring(std::uint32_t width, std::uint32_t height) {
  const TemporaryFolder folder;
  save_image(gradient_image(8, 8, 8, false), folder.file("a.png"));
  std::string bytes = read_all(folder.file("a.png"));
  const std::string size = big_endian(width) + big_endian(height);
  bytes.replace(8, 25, png_chunk("IHDR", size + bytes.substr(24, 5)));
  return bytes;
}

TEST(Limits, AHugeDeclarationIsRefusedUnread) {
  const TemporaryFolder folder;
  write_all(folder.file("a.png"), png_declaring(8, 8));
  EXPECT_NO_THROW(load_image(folder.file("a.png")));
  const std::int64_t before = peak_memory_kib();
  const auto start = std::chrono::steady_clock::now();
  for (const auto& [width, height] :
       {std::pair{60000U, 60000U}, {32769U, 1U}, {1U, 32769U}, {20000U, 20000U}}) {
    write_all(folder.file("a.png"), png_declaring(width, height));
    const std::string message =
        error_of(ErrorKind::input, [&] { load_image(folder.file("a.png"), 100); });
    EXPECT_NE(message.find(std::to_string(width) + "×" + std::to_string(height)), std::string::npos)
        << message;
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
  EXPECT_LT(peak_memory_kib() - before, 64 << 10);
}

TEST(Limits, AreThoseOfTheCaller) {
  const TemporaryFolder folder;
  save_image(gradient_image(20, 30, 8, false), folder.file("a.png"));
  ImageLimits limits;
  limits.max_side = 29;
  error_of(ErrorKind::input, [&] { load_image(folder.file("a.png"), std::nullopt, limits); });
  limits = {};
  limits.max_pixels = 599;
  error_of(ErrorKind::input, [&] { load_image(folder.file("a.png"), std::nullopt, limits); });
  limits = {};
  limits.max_bytes = 100;
  EXPECT_NE(
      error_of(ErrorKind::input, [&] { load_image(folder.file("a.png"), std::nullopt, limits); })
          .find("bytes"),
      std::string::npos);
}

}  // namespace
}  // namespace impasto::test::damage_test
