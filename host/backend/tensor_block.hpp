// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <vector>

#include "host/backend/backend.hpp"

namespace impasto {

/// Tensors that live as long as their owner, in one allocation: reserve all, then allocate once.
class TensorBlock {
 public:
  /// Room for one more tensor; returns its number.
  std::size_t reserve(const Shape& shape, DataType type);
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

  void allocate(Backend& backend);
  /// Empty until allocated.
  [[nodiscard]] const Tensor& operator[](std::size_t number) const { return tensors_[number]; }

 private:
  std::vector<Tensor> tensors_;
  std::vector<std::size_t> offsets_;
  std::size_t bytes_ = 0;
  Buffer memory_;
};

}  // namespace impasto
