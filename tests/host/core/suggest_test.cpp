// SPDX-License-Identifier: MIT
#include "host/core/suggest.hpp"

#include <gtest/gtest.h>
#include <vector>

namespace impasto::suggest_test {
namespace {

const std::vector<std::string> words = {"content", "style", "stylize"};

TEST(Suggest, FindsTheWordMeant) {
  EXPECT_EQ(nearest("stlye", words), "style");
  EXPECT_EQ(nearest("stylise", words), "stylize");
  EXPECT_EQ(nearest("contents", words), "content");
  EXPECT_EQ(nearest("style", words), "style");
}

TEST(Suggest, IsSilentWhenNothingIsClose) {
  EXPECT_EQ(nearest("banana", words), "");
  EXPECT_EQ(nearest("", words), "");
  EXPECT_EQ(nearest("style", {}), "");
  EXPECT_EQ(nearest("x", std::vector<std::string>{"ab", "abc"}), "");
  EXPECT_EQ(nearest(std::string(100000, 's'), words), "");
}

TEST(Suggest, Sentences) {
  EXPECT_EQ(did_you_mean("stile", words), "did you mean 'style'?");
  EXPECT_EQ(did_you_mean("banana", words, "see --help"), "see --help");
  EXPECT_EQ(one_of(words), "content, style or stylize");
  EXPECT_EQ(one_of(std::vector<std::string>{"avg"}), "avg");
}

}  // namespace
}  // namespace impasto::suggest_test
