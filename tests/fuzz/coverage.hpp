// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace impasto::fuzz {

using Random = std::mt19937_64;

/// What the reader's code did with the inputs so far. The compiler puts a call to this file into
/// every branch and every comparison of the sources that tests/fuzz/CMakeLists.txt names.
class Coverage {
 public:
  /// Forgets the last input; everything after it belongs to the next.
  void begin();
  /// Whether the input since begin() took a branch, or took one more often, as none did before.
  bool found_new();
  /// The branches taken so far.
  [[nodiscard]] std::size_t branches() const;

 private:
  std::vector<std::uint8_t> seen_ = std::vector<std::uint8_t>(std::size_t{1} << 16U);
};

/// Two values that the reader compared while it read the last input: an input that held the other
/// one might get further.
struct Comparison {
  std::uint64_t left;
  std::uint64_t right;
};

/// One of the last comparisons, or nothing interesting.
Comparison some_comparison(Random& random);

}  // namespace impasto::fuzz
