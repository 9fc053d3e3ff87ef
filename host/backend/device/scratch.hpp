// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "host/runtime/runtime.hpp"

namespace impasto::IMPASTO_DEVICE {

/// Device memory between the two stages of one operation. Operations follow each other on one
/// stream, so all use the same. What was handed out stays where it is: a recorded graph may hold
/// it.
class Scratch {
 public:
  explicit Scratch(Runtime& runtime) : runtime_(runtime) {}

  /// At least `count` T.
  template <class T>
  T* get(std::int64_t count) {
    const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(T);
    if (bytes > bytes_) {
      bytes_ = bytes;
      memory_.push_back(runtime_.allocate(bytes_));
    }
    return memory_.empty() ? nullptr : static_cast<T*>(memory_.back().get());
  }

 private:
  Runtime& runtime_;
  std::vector<std::shared_ptr<void>> memory_;
  std::size_t bytes_ = 0;
};

}  // namespace impasto::IMPASTO_DEVICE
