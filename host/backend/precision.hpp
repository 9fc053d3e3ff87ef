// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "host/core/tensor.hpp"

namespace impasto {

/// How feature maps and their gradients are stored and multiplied. Pixels, Adam's moments, Gram
/// matrices and losses are float in every mode (double on the reference backend, which ignores it).
enum class Precision : std::uint8_t {
  fp32,      ///< sums of products, in the order of a matrix product
  winograd,  ///< fp32, but 3×3 convolutions through Winograd's transforms, which round more
  tf32,
  bf16,
  fp16
};

std::string_view to_string(Precision precision);

/// The type that feature maps are stored as.
constexpr DataType storage_of(Precision precision) {
  switch (precision) {
    case Precision::bf16: return DataType::bf16;
    case Precision::fp16: return DataType::fp16;
    default: return DataType::f32;
  }
}

/// "fp32", "winograd", "tf32", "bf16", "fp16"; nothing for "auto". Throws ErrorKind::usage for another name.
std::optional<Precision> parse_precision(std::string_view name);

}  // namespace impasto
