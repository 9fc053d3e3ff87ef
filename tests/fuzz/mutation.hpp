// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>

#include "tests/fuzz/coverage.hpp"

namespace impasto::fuzz {

/// A random one of the inputs with a few random changes: bits and bytes, numbers of either byte
/// order, pieces cut, doubled, moved or taken from another input, and values that the reader
/// compared with others. At most `longest` bytes.
std::string mutated(std::span<const std::string> inputs, std::size_t longest, Random& random);

}  // namespace impasto::fuzz
