// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "weights/source_file.hpp"

namespace impasto {

/// What compressed bytes unfold to, piece by piece in constant memory, so that a bomb costs time
/// alone.
class Inflater {
 public:
  enum class Form : std::uint8_t {
    zlib,     ///< with a header and a checksum, which is checked at the end
    deflate,  ///< without, as zip archives have it
  };
  /// `compressed` is all there is to unfold, into at most `max_bytes`.
  Inflater(SourceFile compressed, Form form, std::uint64_t max_bytes);

  /// Fills the front of `to` and returns how much of it; 0 is the end. Refuses damaged data and
  /// those that unfold to more than `max_bytes`.
  std::size_t read_some(std::span<char> to);

 private:
  struct State;
  struct Free {
    void operator()(State* state) const;
  };
  std::unique_ptr<State, Free> state_;
};

}  // namespace impasto
