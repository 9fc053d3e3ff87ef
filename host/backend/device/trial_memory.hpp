// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "host/backend/device/memory.hpp"
#include "host/backend/ops.hpp"

namespace impasto::IMPASTO_DEVICE {

/// What candidates are compared and timed on: tensors of rectified noise, half of it zeros, as
/// feature maps and masked gradients are. On zeros alone a GPU draws less power and clocks higher,
/// which flatters candidates that are bound by arithmetic; and every wrong result would be right.
class TrialMemory {
 public:
  explicit TrialMemory(Runtime& runtime) : runtime_(runtime), noise_(period) {
    std::uint32_t state = 1;
    for (float& value : noise_) {
      state = state * 1664525U + 1013904223U;  // Numerical Recipes' generator
      const auto uniform = static_cast<float>(state >> 8U) / static_cast<float>(1U << 24U);
      value = std::max(0.0F, highest * (2 * uniform - 1));
    }
  }

  /// Device memory that lasts as long as this object; null for no bytes.
  void* allocate(std::size_t bytes) {
    if (bytes == 0) return nullptr;
    buffers_.push_back(runtime_.allocate(bytes));
    return buffers_.back().get();
  }

  /// Gives a tensor memory and noise; a matrix of Gram's size noise that is symmetric.
  void fill(Tensor& tensor) {
    tensor.data = allocate(tensor.bytes());
    refill(tensor);
  }
  void refill(const Tensor& tensor) {
    if (tensor.bytes() == 0) return;
    if (is_matrix(tensor.shape)) {
      write(tensor.data, symmetric(tensor.shape), tensor.type);
      return;
    }
    // One period from the host, the rest from what is there.
    const auto count = static_cast<std::size_t>(tensor.shape.count());
    const std::size_t value_bytes = tensor.bytes() / count;
    std::size_t filled = std::min(count, noise_.size());
    write(tensor.data, {noise_.begin(), noise_.begin() + static_cast<std::ptrdiff_t>(filled)},
          tensor.type);
    while (filled < count) {
      const std::size_t more = std::min(filled, count - filled);
      runtime_.copy(static_cast<std::byte*>(tensor.data) + filled * value_bytes, tensor.data,
                    more * value_bytes);
      filled += more;
    }
  }

  /// Values of a tensor at the same places every time: all of a small one, else sixteen runs of
  /// neighbours, evenly spread from the first to the last. Waits.
  [[nodiscard]] std::vector<float> sample(const Tensor& tensor) {
    constexpr std::size_t runs = 16;
    constexpr std::size_t run = 4096;
    const auto count = static_cast<std::size_t>(tensor.shape.count());
    std::vector<float> values;
    dispatch_storage(tensor.type, [&]<class T>(T) {
      const auto read = [&](std::size_t first, std::size_t length) {
        std::vector<T> stored(length);
        runtime_.copy_to_host(stored.data(), tensor.as<T>() + first, length * sizeof(T));
        runtime_.synchronize();
        for (const T value : stored) values.push_back(static_cast<float>(value));
      };
      if (count <= runs * run) return read(0, count);
      for (std::size_t i = 0; i < runs; ++i) read((count - run) * i / (runs - 1), run);
    });
    return values;
  }

 private:
  /// A prime, so that no tile of a map repeats another one.
  static constexpr std::size_t period = 65521;
  /// Small: a candidate that adds to its output runs hundreds of times, and float16 ends at 65504.
  static constexpr float highest = 0.125F;

  static bool is_matrix(const Shape& shape) {
    return shape == matrix_shape(shape.batch, shape.channels);
  }

  [[nodiscard]] std::vector<float> symmetric(const Shape& shape) const {
    const auto C = static_cast<std::size_t>(shape.channels);
    std::vector<float> values(static_cast<std::size_t>(shape.count()));
    for (std::size_t at = 0; at < values.size(); ++at) {
      const auto [low, high] = std::minmax({at / C % C, at % C});
      values[at] = noise_[(at / (C * C) + high * (high + 1) / 2 + low) % period];
    }
    return values;
  }

  void write(void* to, const std::vector<float>& values, DataType type) {
    dispatch_storage(type, [&]<class T>(T) {
      std::vector<T> stored;
      stored.reserve(values.size());
      for (const float value : values) stored.push_back(static_cast<T>(value));
      runtime_.copy_to_device(to, stored.data(), stored.size() * sizeof(T));
      runtime_.synchronize();
    });
  }

  Runtime& runtime_;
  std::vector<float> noise_;
  std::vector<Buffer> buffers_;
};

}  // namespace impasto::IMPASTO_DEVICE
