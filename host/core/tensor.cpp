// SPDX-License-Identifier: MIT
#include "host/core/tensor.hpp"

#include "host/core/error.hpp"

namespace impasto {

std::string to_string(const Shape& shape) {
  return fmt::format("{}×{}×{}×{}", shape.batch, shape.height, shape.width, shape.channels);
}

std::size_t size_of(DataType type) {
  switch (type) {
    case DataType::f64:
    case DataType::i64: return 8;
    case DataType::f32: return 4;
    case DataType::bf16:
    case DataType::fp16: return 2;
  }
  fail(ErrorKind::internal, "unknown data type {}", static_cast<int>(type));
}

}  // namespace impasto
