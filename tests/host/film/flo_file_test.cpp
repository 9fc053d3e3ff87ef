// SPDX-License-Identifier: MIT
#include "host/film/flo_file.hpp"

#include <cstring>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>

#include "host/core/error.hpp"
#include "tests/temporary_folder.hpp"

namespace impasto::film::flo_file_test {
namespace {

using testing::HasSubstr;

std::string flo(std::int32_t width, std::int32_t height, const std::vector<float>& uv) {
  std::string bytes = "PIEH";
  const auto add = [&bytes](const auto& number) {
    bytes.append(reinterpret_cast<const char*>(&number), sizeof(number));
  };
  add(width);
  add(height);
  for (const float value : uv) add(value);
  return bytes;
}

class FloFile : public testing::Test {
 protected:
  std::string write(const std::string& bytes) {
    const std::string path = folder_.file("forward_1_2.flo");
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  void expect_refused(const std::string& bytes, const std::string& reason) {
    const std::string path = write(bytes);
    try {
      static_cast<void>(load_flow(path));
      FAIL() << "read a file that should say " << reason;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      EXPECT_THAT(error.what(), HasSubstr(path));
      EXPECT_THAT(error.what(), HasSubstr(reason));
    }
  }
  const TemporaryFolder folder_;
};

TEST_F(FloFile, IsReadRowByRow) {
  const std::vector<float> uv = {1, 2, 3, 4, 5, 6, -7.5, 8, 1e10F, 10, 11, 12};
  const Flow flow = load_flow(write(flo(3, 2, uv)));
  EXPECT_EQ(flow.width, 3);
  EXPECT_EQ(flow.height, 2);
  EXPECT_EQ(flow.uv, uv);
}

TEST_F(FloFile, ThatIsNoneIsRefused) {
  expect_refused("", "empty");
  expect_refused("PI", "ends within its first 12 bytes");
  expect_refused("Hello", "begins with PIEH");
  expect_refused(std::string("\x89PNG\r\n\x1a\n") + std::string(20, '\0'), "PNG");
  expect_refused("HEIP" + flo(1, 1, {0, 0}).substr(4), "begins with PIEH");
}

TEST_F(FloFile, WithAnotherLengthThanItSaysIsRefused) {
  const std::string whole = flo(2, 2, std::vector<float>(8));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THROW(static_cast<void>(load_flow(write(whole.substr(0, size)))), Error) << size;
  }
  expect_refused(whole.substr(0, 40), "expected 44 bytes for 2x2 pixels, found 40");
  expect_refused(whole + "x", "found 45");
}

TEST_F(FloFile, OfAnAbsurdSizeIsRefusedBeforeItTakesMemory) {
  constexpr std::int32_t most = std::numeric_limits<std::int32_t>::max();
  for (const auto& [width, height] :
       {std::pair{most, most}, {0, 4}, {4, -1}, {most, 1}, {30000, 30000}}) {
    expect_refused(flo(width, height, {0, 0}),
                   std::to_string(width) + "x" + std::to_string(height));
  }
  expect_refused(flo(10000, 10000, {0, 0}), "expected 800000012 bytes");
}

TEST_F(FloFile, ThatIsNotThereOrNoFileIsRefused) {
  EXPECT_THROW(static_cast<void>(load_flow(folder_.file("missing.flo"))), Error);
  EXPECT_THROW(static_cast<void>(load_flow("/dev/zero")), Error);
  EXPECT_THROW(static_cast<void>(load_flow(folder_.file("."))), Error);
}

}  // namespace
}  // namespace impasto::film::flo_file_test
