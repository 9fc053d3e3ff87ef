// SPDX-License-Identifier: MIT
#include "host/backend/tensor_block.hpp"

namespace impasto {

std::size_t TensorBlock::reserve(const Shape& shape, DataType type) {
  tensors_.push_back({nullptr, shape, type});
  offsets_.push_back(bytes_);
  bytes_ += aligned_bytes(tensors_.back());
  return tensors_.size() - 1;
}

void TensorBlock::bind(void* memory) {
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    tensors_[i].data = static_cast<std::byte*>(memory) + offsets_[i];
  }
}

}  // namespace impasto
