// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <vector>

#include "host/core/tensor.hpp"

namespace impasto {

/// Tensors side by side in one block of memory. Reserve all of them first, then bind the memory.
class TensorBlock {
 public:
  /// Room for one more tensor; returns its number.
  std::size_t reserve(const Shape& shape, DataType type);
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  /// How many tensors there are.
  [[nodiscard]] std::size_t size() const { return tensors_.size(); }

  /// Gives them bytes() bytes at `memory`.
  void bind(void* memory);
  /// Empty until bound.
  [[nodiscard]] const Tensor& operator[](std::size_t number) const { return tensors_[number]; }

 private:
  std::vector<Tensor> tensors_;
  std::vector<std::size_t> offsets_;
  std::size_t bytes_ = 0;
};

}  // namespace impasto
