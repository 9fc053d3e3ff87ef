// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "host/runtime/runtime.hpp"

namespace impasto::cuda {

/// Memory that candidates are timed on: zeros, so that every run of them does the same.
class TrialMemory {
 public:
  explicit TrialMemory(Runtime& runtime) : runtime_(runtime) {}

  void* get(std::size_t bytes) {
    if (bytes == 0) return nullptr;
    buffers_.push_back(runtime_.allocate(bytes));
    runtime_.fill_zero(buffers_.back().get(), bytes);
    return buffers_.back().get();
  }
  /// All of it, freed with the result.
  [[nodiscard]] std::shared_ptr<void> keep() {
    return std::make_shared<std::vector<std::shared_ptr<void>>>(std::move(buffers_));
  }

 private:
  Runtime& runtime_;
  std::vector<std::shared_ptr<void>> buffers_;
};

}  // namespace impasto::cuda
