// SPDX-License-Identifier: MIT
#include "tests/fuzz/mutation.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace impasto::fuzz {
namespace {

std::size_t below(std::size_t end, Random& random) { return end == 0 ? 0 : random() % end; }

/// Small sizes more often than large ones.
std::size_t some_length(std::size_t most, Random& random) {
  const std::size_t bits = 1 + below(static_cast<std::size_t>(std::bit_width(most)), random);
  return std::min(most, 1 + below(std::size_t{1} << bits, random));
}

/// The low `width` bytes of a number, the lowest first unless `big_endian`.
std::string bytes_of(std::uint64_t number, std::size_t width, bool big_endian) {
  std::string bytes;
  for (std::size_t i = 0; i < width; ++i) bytes += static_cast<char>(number >> 8 * i);
  if (big_endian) std::ranges::reverse(bytes);
  return bytes;
}

std::uint64_t interesting_number(Random& random) {
  constexpr std::array<std::uint64_t, 14> numbers = {
      0,      1,          2,          16,         127,         128,         255,
      0x7FFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1ULL << 62U, 1ULL << 63U, ~0ULL};
  return numbers.at(below(numbers.size(), random)) + below(3, random) - 1;
}

void flip_bit(std::string& input, Random& random) {
  char& byte = input[below(input.size(), random)];
  byte = static_cast<char>(byte ^ static_cast<char>(1U << below(8, random)));
}

void set_bytes(std::string& input, Random& random) {
  const std::size_t at = below(input.size(), random);
  const std::size_t count = std::min(some_length(16, random), input.size() - at);
  for (std::size_t i = 0; i < count; ++i) input[at + i] = static_cast<char>(random());
}

void set_number(std::string& input, Random& random) {
  const std::size_t width = std::size_t{1} << below(4, random);
  if (input.size() < width) return;
  std::size_t at = below(input.size() - width + 1, random);
  if (below(2, random) == 0) at -= at % width;
  input.replace(at, width, bytes_of(interesting_number(random), width, below(2, random) == 0));
}

/// A number a little larger or smaller than it was.
void nudge_number(std::string& input, Random& random) {
  const std::size_t width = std::size_t{1} << below(4, random);
  if (input.size() < width) return;
  const std::size_t at = below(input.size() - width + 1, random);
  const bool big_endian = below(2, random) == 0;
  std::string bytes = input.substr(at, width);
  if (big_endian) std::ranges::reverse(bytes);
  std::uint64_t number = 0;
  std::memcpy(&number, bytes.data(), width);
  number += below(33, random) - 16;
  input.replace(at, width, bytes_of(number, width, big_endian));
}

/// One side of a comparison, where the input has it, becomes the other side.
void satisfy_comparison(std::string& input, Random& random) {
  auto [from, to] = some_comparison(random);
  if (from == to) return;
  if (below(2, random) == 0) std::swap(from, to);
  const auto needed = static_cast<std::size_t>(std::bit_width(std::max(from, to)) + 7) / 8;
  for (const std::size_t width : {1UL, 2UL, 4UL, 8UL}) {
    if (width < needed) continue;
    for (const bool big_endian : {false, true}) {
      const std::string old = bytes_of(from, width, big_endian);
      std::size_t at = input.find(old, below(input.size(), random));
      if (at == std::string::npos) at = input.find(old);
      if (at == std::string::npos) continue;
      input.replace(at, width, bytes_of(to + below(3, random) - 1, width, big_endian));
      return;
    }
  }
}

void cut_piece(std::string& input, Random& random) {
  const std::size_t at = below(input.size(), random);
  input.erase(at, some_length(input.size() - at, random));
}

void cut_end(std::string& input, Random& random) { input.resize(below(input.size(), random)); }

/// Puts a piece of `from` into the input or over what is there.
void take_piece(std::string& input, const std::string& from, Random& random) {
  if (from.empty()) return;
  const std::size_t begin = below(from.size(), random);
  const std::string piece = from.substr(begin, some_length(from.size() - begin, random));
  const std::size_t at = below(input.size() + 1, random);
  const std::size_t over = below(2, random) == 0 ? 0 : std::min(piece.size(), input.size() - at);
  input.replace(at, over, piece);
}

}  // namespace

std::string mutated(std::span<const std::string> inputs, std::size_t longest, Random& random) {
  const auto pick = [&]() -> const std::string& { return inputs[below(inputs.size(), random)]; };
  std::string input = pick();
  const std::size_t changes = std::size_t{1} << below(4, random);
  for (std::size_t i = 0; i < changes; ++i) {
    if (input.empty()) input.push_back(0);
    switch (below(10, random)) {
      case 0: flip_bit(input, random); break;
      case 1: set_bytes(input, random); break;
      case 2: set_number(input, random); break;
      case 3: nudge_number(input, random); break;
      case 4: cut_piece(input, random); break;
      case 5: take_piece(input, std::string(input), random); break;
      case 6: take_piece(input, pick(), random); break;
      case 7:
        if (below(8, random) == 0) cut_end(input, random);
        break;
      default: satisfy_comparison(input, random); break;
    }
  }
  if (input.size() > longest) input.resize(longest);
  return input;
}

}  // namespace impasto::fuzz
