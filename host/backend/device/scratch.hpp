// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "host/runtime/runtime.hpp"

namespace impasto::IMPASTO_DEVICE {

/// Device memory between the stages of one operation. Operations follow each other on one stream,
/// so all use the same.
class Scratch {
 public:
  explicit Scratch(Runtime& runtime) : runtime_(runtime) {}

  /// At least `count` T; null while measuring.
  template <class T>
  T* get(std::int64_t count) {
    const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(T);
    largest_ = std::max(largest_, bytes);
    return bytes == 0 || measuring_ ? nullptr : static_cast<T*>(find(bytes));
  }

  /// The most that `operations` ask for. While it runs they are to leave it at asking.
  std::size_t measure(const std::function<void()>& operations) {
    largest_ = 0;
    measuring_ = true;
    try {
      operations();
    } catch (...) {
      measuring_ = false;
      throw;
    }
    measuring_ = false;
    return largest_;
  }
  [[nodiscard]] bool measuring() const { return measuring_; }

  /// Takes from here what fits into it, for as long as its owner keeps it.
  void use(const std::shared_ptr<void>& memory, std::size_t bytes) {
    lent_ = memory;
    lent_bytes_ = bytes;
  }

 private:
  void* find(std::size_t bytes) {
    const std::shared_ptr<void> lent = lent_.lock();
    if (lent && bytes <= lent_bytes_) return lent.get();
    if (bytes > own_bytes_) {
      // What was handed out stays: a recorded graph may hold it.
      own_.push_back(runtime_.allocate(bytes));
      own_bytes_ = bytes;
    }
    return own_.back().get();
  }

  Runtime& runtime_;
  std::weak_ptr<void> lent_;
  std::size_t lent_bytes_ = 0;
  std::vector<std::shared_ptr<void>> own_;
  std::size_t own_bytes_ = 0;
  std::size_t largest_ = 0;
  bool measuring_ = false;
};

}  // namespace impasto::IMPASTO_DEVICE
