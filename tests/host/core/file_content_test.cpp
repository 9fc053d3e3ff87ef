// SPDX-License-Identifier: MIT
#include "host/core/file_content.hpp"

#include <gmock/gmock.h>

namespace impasto::file_content_test {
namespace {

using namespace std::string_literals;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string zip_of(const std::string& name) {
  std::string head("PK\x03\x04");
  head.resize(30, '\0');
  head[26] = static_cast<char>(name.size());
  return head + name + "content";
}

TEST(DescribeContent, NamesPictures) {
  EXPECT_THAT(describe_content("GIF89a\1\0"s),
              HasSubstr("a GIF picture; save it as PNG first: vips copy"));
  EXPECT_THAT(describe_content("BM\x36\0\0\0"s), StartsWith("a BMP picture"));
  EXPECT_THAT(describe_content("\0\0\0\x18"
                               "ftypheic\0\0\0\0"s),
              StartsWith("a HEIC picture"));
  EXPECT_THAT(describe_content("\0\0\0\x20"
                               "ftypavif\0\0\0\0"s),
              StartsWith("an AVIF picture"));
  EXPECT_THAT(describe_content("P6\n1 1\n255\nabc"), StartsWith("a PPM"));
  EXPECT_THAT(describe_content("\xFF\xD8\xFF\xE0"), StartsWith("a JPEG picture"));
  EXPECT_EQ(describe_content("\x89PNG\r\n\x1A\n\0\0\0\rIHDR"s), "a PNG picture");
  EXPECT_THAT(describe_content("\x89PNG\r\n\x1A\n\0\0\0\4CgBI"s), HasSubstr("Apple"));
  EXPECT_THAT(describe_content("\x89PNG\n\x1A\n\0\0\0\rIHDR"s), HasSubstr("copied as text"));
}

TEST(DescribeContent, NamesWhatADownloadLeaves) {
  EXPECT_THAT(describe_content("\n <!DOCTYPE html><html>"), StartsWith("a web page"));
  EXPECT_THAT(describe_content("<HTML><head>"), StartsWith("a web page"));
  EXPECT_THAT(describe_content("version https://git-lfs.github.com/spec/v1\noid sha256:4d"),
              HasSubstr("git lfs pull"));
  EXPECT_THAT(describe_content("\x1F\x8B\x08\0"s), StartsWith("compressed by gzip"));
}

TEST(DescribeContent, NamesWeightsOfOthers) {
  EXPECT_THAT(describe_content(zip_of("archive/data.pkl")), StartsWith("a PyTorch file"));
  EXPECT_THAT(describe_content(zip_of("vgg19/version")), StartsWith("a PyTorch file"));
  EXPECT_THAT(describe_content(zip_of("metadata.json")), StartsWith("a Keras 3 file"));
  EXPECT_THAT(describe_content(zip_of("conv1_1.npy")), StartsWith("a NumPy archive"));
  EXPECT_THAT(describe_content(zip_of("notes.odt")), StartsWith("a zip archive"));
  EXPECT_THAT(describe_content("\x80\x02\x8A\x0Al\xFC\x9C"), HasSubstr("PyTorch file of the old"));
  EXPECT_THAT(describe_content("\x40\x1F\0\0\0\0\0\0{\"__metadata__\""s),
              StartsWith("a safetensors file"));
}

TEST(DescribeContent, IsNeverAtALoss) {
  EXPECT_EQ(describe_content("a sentence in words\n"), "a text");
  EXPECT_EQ(describe_content("\x01\x02\x03"), "something of an unknown kind");
  EXPECT_EQ(describe_content("PK\x03\x04"),
            "a zip archive; PyTorch's and Keras 3's files are such");
  for (std::size_t length = 0; length < 40; ++length) {
    EXPECT_FALSE(describe_content(zip_of("a").substr(0, length)).empty());
  }
}

}  // namespace
}  // namespace impasto::file_content_test
