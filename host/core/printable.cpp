// SPDX-License-Identifier: MIT
#include "host/core/printable.hpp"

#include <cstddef>
#include <cstdint>
#include <fmt/format.h>
#include <limits>
#include <set>

namespace impasto {
namespace {

constexpr std::size_t longest_text = 4096;
constexpr char32_t not_utf8 = 0xFFFFFFFFU;

struct Character {
  char32_t code;
  std::size_t bytes;
};

/// The character at the beginning of `text`, which is not empty.
Character decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t first = byte(0);
  if (first < 0x80U) return {first, 1};
  const std::size_t length = first >= 0xF0U ? 4 : first >= 0xE0U ? 3 : 2;
  if (first < 0xC2U || first > 0xF4U || text.size() < length) return {not_utf8, 1};
  char32_t code = first & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return {not_utf8, 1};
    code = code << 6U | (byte(i) & 0x3FU);
  }
  constexpr char32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xD800U && code <= 0xDFFFU;
  if (code < least[length] || code > 0x10FFFFU || surrogate) return {not_utf8, 1};
  return {code, length};
}

bool is_harmless(char32_t code) {
  if (code == not_utf8 || code < 0x20U || (code >= 0x7FU && code < 0xA0U)) return false;
  if (code == 0x2028U || code == 0x2029U) return false;  // line and paragraph separators
  const bool turns = code == 0x061CU || code == 0x200EU || code == 0x200FU ||
                     (code >= 0x202AU && code <= 0x202EU) || (code >= 0x2066U && code <= 0x2069U);
  return !turns;
}

std::string escape(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const Character next = decode(text);
    result += is_harmless(next.code) ? text.substr(0, next.bytes) : "?";
    text.remove_prefix(next.bytes);
  }
  return result;
}

}  // namespace

std::string printable(std::string_view text) {
  if (text.size() <= longest_text) return escape(text);
  return escape(text.substr(0, longest_text / 2)) + " … " +
         escape(text.substr(text.size() - longest_text / 2));
}

std::vector<std::string> told_apart(std::span<const double> numbers) {
  const std::set<double> different(numbers.begin(), numbers.end());
  for (int digits = 4;; ++digits) {
    std::vector<std::string> words;
    for (const double number : numbers) words.push_back(fmt::format("{:.{}g}", number, digits));
    const bool enough = std::set(words.begin(), words.end()).size() == different.size();
    if (enough || digits == std::numeric_limits<double>::max_digits10) return words;
  }
}

}  // namespace impasto
