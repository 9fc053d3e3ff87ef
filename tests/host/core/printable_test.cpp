// SPDX-License-Identifier: MIT
#include "host/core/printable.hpp"

#include <gtest/gtest.h>

#include "host/core/error.hpp"

namespace impasto::printable_test {
namespace {

TEST(Printable, LeavesWhatPeopleWrite) {
  for (const auto* text : {"", "conv1_1", "a b.png", "näive 画像 😀.png", "/tmp/quote'\"<>&", "ﷺ"}) {
    EXPECT_EQ(printable(text), text);
  }
}

TEST(Printable, ReplacesControlCharacters) {
  EXPECT_EQ(printable("a\nb\r\tc\x1b[31m\x7f"), "a?b??c?[31m?");
  EXPECT_EQ(printable(std::string("zero\0end", 8)), "zero?end");
  EXPECT_EQ(printable("next line \xC2\x85, command \xC2\x9B"
                      "31m"),
            "next line ?, command ?31m");
  EXPECT_EQ(printable("line\u2028paragraph\u2029"), "line?paragraph?");
}

TEST(Printable, ReplacesWhatTurnsTheDirection) {
  EXPECT_EQ(printable("photo\u202Egnp.exe"), "photo?gnp.exe");
  EXPECT_EQ(printable("\u200E\u200F\u202A\u2066\u2069\u061C"), "??????");
}

TEST(Printable, ReplacesBytesThatAreNotUtf8) {
  EXPECT_EQ(printable("\xFF\xFE"), "??");
  EXPECT_EQ(printable("cut \xE7\x94"), "cut ??");
  EXPECT_EQ(printable("overlong \xC0\xAF \xE0\x80\x8A"), "overlong ?? ???");
  EXPECT_EQ(printable("surrogate \xED\xA0\x80"), "surrogate ???");
  EXPECT_EQ(printable("\xF4\x90\x80\x80 beyond"), "???? beyond");
  EXPECT_EQ(printable("broken \xE7\n"), "broken ??");
}

TEST(Printable, LeavesOutTheMiddleOfLongText) {
  const std::string text = printable("begin" + std::string(1U << 20U, 'x') + "end");
  EXPECT_LT(text.size(), 4200U);
  EXPECT_TRUE(text.starts_with("begin"));
  EXPECT_TRUE(text.ends_with("end"));
}

TEST(ToldApart, HasFourDigitsOrAsManyAsShowThatNumbersDiffer) {
  const auto words = [](std::vector<double> numbers) { return told_apart(numbers); };
  using Words = std::vector<std::string>;
  EXPECT_EQ(words({14320.4, 1806000, 14320.4}), (Words{"1.432e+04", "1.806e+06", "1.432e+04"}));
  EXPECT_EQ(words({5.23301e10, 5.23304e10, 5.2e10}),
            (Words{"5.23301e+10", "5.23304e+10", "5.2e+10"}));
  EXPECT_EQ(words({1, 1 + 1e-15}).front(), "1");
  EXPECT_NE(words({1, 1 + 1e-15}).back(), "1");
}

TEST(Error, IsOnePrintableLineWhateverItNames) {
  try {
    fail(ErrorKind::input, "cannot read '{}'", "two\nlines\x1b[2J");
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "cannot read 'two?lines?[2J'");
  }
}

}  // namespace
}  // namespace impasto::printable_test
