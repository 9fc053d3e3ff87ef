// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "host/backend/device.hpp"
#include "host/runtime/runtime.hpp"

namespace impasto::IMPASTO_DEVICE {

/// Calls `body` with a value of the C++ type that CUDA kernels know `type` by.
template <class Body>
void dispatch_storage(DataType type, Body body) {
  dispatch<float, kernels::bfloat16, kernels::float16>(type, body);
}

/// New device memory with these values, rounded to `type`. Waits.
inline Buffer upload(Runtime& runtime, const std::vector<float>& values, DataType type) {
  Buffer memory;
  dispatch_storage(type, [&]<class T>(T) {
    std::vector<T> stored;
    stored.reserve(values.size());
    for (const float value : values) stored.push_back(static_cast<T>(value));
    memory = runtime.allocate(stored.size() * sizeof(T));
    runtime.copy_to_device(memory.get(), stored.data(), stored.size() * sizeof(T));
    runtime.synchronize();
  });
  return memory;
}

/// Device memory between the stages of one operation. Operations run one after another on one
/// stream, so all share the same memory.
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

  /// The most workspace that one of `operations` requests. While it runs, operations only request
  /// memory and enqueue no work.
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

  /// Takes what fits from this memory, for as long as its owner keeps it.
  void use(const std::shared_ptr<void>& memory, std::size_t bytes) {
    workspace_ = memory;
    workspace_bytes_ = bytes;
  }

 private:
  void* find(std::size_t bytes) {
    const std::shared_ptr<void> workspace = workspace_.lock();
    if (workspace && bytes <= workspace_bytes_) return workspace.get();
    if (bytes > own_bytes_) {
      // Smaller memory stays: a recorded graph may use it.
      own_.push_back(runtime_.allocate(bytes));
      own_bytes_ = bytes;
    }
    return own_.back().get();
  }

  Runtime& runtime_;
  std::weak_ptr<void> workspace_;
  std::size_t workspace_bytes_ = 0;
  std::vector<std::shared_ptr<void>> own_;
  std::size_t own_bytes_ = 0;
  std::size_t largest_ = 0;
  bool measuring_ = false;
};

}  // namespace impasto::IMPASTO_DEVICE
