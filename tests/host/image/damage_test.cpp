// SPDX-License-Identifier: MIT
#include <chrono>
#include <gtest/gtest.h>
#include <random>
#include <sys/resource.h>

#include "tests/host/image/fixtures.hpp"

namespace impasto::test {
namespace {

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
  for (const std::size_t length :
       {std::size_t{1}, std::size_t{3}, std::size_t{11}, std::size_t{16}, std::size_t{30},
        std::size_t{100}, size / 4, size / 2, size * 3 / 4}) {
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

/// A small PNG whose header declares another size.
std::string png_declaring(std::uint32_t width, std::uint32_t height) {
  const TemporaryFolder folder;
  save_image(gradient_image(8, 8, 8, false), folder.file("a.png"));
  std::string bytes = read_all(folder.file("a.png"));
  const std::string size = big_endian(width) + big_endian(height);
  bytes.replace(8, 25, png_chunk("IHDR", size + bytes.substr(24, 5)));
  return bytes;
}

std::int64_t peak_memory_kib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
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
}  // namespace impasto::test
