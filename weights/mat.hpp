// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "weights/source_file.hpp"

namespace impasto {

/// A value in a MATLAB file.
struct MatValue {
  enum class Kind : std::uint8_t {
    numbers,
    text,
    cell,
    record,  ///< a 1×1 struct
    other,   ///< not read: too large to be of use here, or of a kind that does not matter
  };
  Kind kind = Kind::other;
  std::vector<std::uint64_t> shape;
  std::vector<float> numbers;  ///< column-major: the first axis runs fastest
  std::string text;
  std::vector<MatValue> cells;      ///< of a cell array, or the values of a record's fields
  std::vector<std::string> fields;  ///< a record's names for them

  /// A field of a record by name, or nullptr.
  [[nodiscard]] const MatValue* field(std::string_view name) const;
};

/// What to do with a file's variables. A cell array is handed over cell by cell, so that only one
/// is in memory; anything else as one value.
struct MatVisitor {
  std::function<bool(std::string_view name)> wants;
  std::function<void(std::string_view name, MatValue value)> take;
};

/// Reads a MATLAB level-5 file (little-endian, compressed or not), trusting nothing in it: every
/// size is checked against the enclosing element, nesting and counts are bounded, and arrays of more
/// than 4 Mi values are not read, so that memory stays below 64 MiB. All compressed variables
/// together may unfold to `max_inflated` bytes. Throws ErrorKind::weights.
void read_mat(const SourceFile& file, const MatVisitor& visitor,
              std::uint64_t max_inflated = std::uint64_t{2} << 30U);

}  // namespace impasto
