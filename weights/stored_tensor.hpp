// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weights/source_file.hpp"

namespace impasto {

enum class ElementType : std::uint8_t { float16, bfloat16, float32, float64, other };

/// What a file format calls a type, and how many bytes an element of it takes.
struct NamedElementType {
  std::string_view name;
  std::uint64_t bytes;
  ElementType type = ElementType::other;
};

/// A tensor in a file of them, not yet read: PyTorch's and safetensors' common form. What it says
/// of itself is checked when it is read.
struct StoredTensor {
  std::string name;
  ElementType type = ElementType::other;
  std::vector<std::uint64_t> shape;
  std::vector<std::uint64_t> strides;  ///< in elements, an axis each
  SourceFile storage;                  ///< all the elements it may lie among
  std::uint64_t offset = 0;            ///< of the first one, in elements
};

/// The strides of a tensor whose last axis is the fastest.
std::vector<std::uint64_t> contiguous_strides(std::span<const std::uint64_t> shape);

/// The values in the order of the axes, the last one fastest, each finite and smaller than 10,000 in
/// magnitude. Refuses a tensor that leaves its storage, repeats elements (a stride of 0) or leaves
/// some out between its own, of integers, or of more than 8 Mi values. Throws ErrorKind::weights.
std::vector<float> read_values(const StoredTensor& tensor);

/// Refuses tensors that share an element.
void check_apart(std::span<const StoredTensor* const> tensors);

}  // namespace impasto
