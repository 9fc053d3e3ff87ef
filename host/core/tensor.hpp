// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "host/core/error.hpp"
#include "kernels/common/bfloat16.hpp"
#include "kernels/common/float16.hpp"
#include "kernels/common/size.hpp"

namespace impasto {

using Shape = kernels::MapSize;

/// "1×256×256×64"
std::string to_string(const Shape& shape);

enum class DataType : std::uint8_t { f64, f32, bf16, fp16, i64 };

std::size_t size_of(DataType type);

/// The DataType that stores T.
template <class T>
inline constexpr DataType data_type_of = DataType::i64;
template <>
inline constexpr DataType data_type_of<double> = DataType::f64;
template <>
inline constexpr DataType data_type_of<float> = DataType::f32;
template <>
inline constexpr DataType data_type_of<kernels::bfloat16> = DataType::bf16;
template <>
inline constexpr DataType data_type_of<kernels::float16> = DataType::fp16;

/// Calls `body` with a value of the C++ type that stores `type`. That must be one of Types.
template <class... Types, class Body>
void dispatch(DataType type, Body body) {
  const bool found = ((type == data_type_of<Types> && (body(Types{}), true)) || ...);
  require(found, "nothing here computes with values of this type");
}

/// A view of device memory, NHWC and dense. The memory belongs to a Buffer or an arena.
struct Tensor {
  void* data = nullptr;
  Shape shape;
  DataType type = DataType::f32;

  [[nodiscard]] std::size_t bytes() const {
    return static_cast<std::size_t>(shape.count()) * size_of(type);
  }
  [[nodiscard]] explicit operator bool() const { return data != nullptr; }

  /// The data as T. Meaningful on backends whose memory the host can read.
  template <class T>
  [[nodiscard]] T* as() const {
    return static_cast<T*>(data);
  }
};

/// The n-th image of a batch.
inline Tensor image_of(const Tensor& batch, std::int64_t n) {
  Tensor one = batch;
  one.shape.batch = 1;
  if (one.data != nullptr) {
    one.data = one.as<std::byte>() + static_cast<std::size_t>(n) * one.bytes();
  }
  return one;
}

/// Rows [top, top + height) of one image.
inline Tensor rows_of(const Tensor& image, std::int64_t top, std::int64_t height) {
  Tensor rows = image;
  rows.shape.height = 1;
  if (rows.data != nullptr) {
    rows.data = rows.as<std::byte>() + static_cast<std::size_t>(top) * rows.bytes();
  }
  rows.shape.height = height;
  return rows;
}

/// A tensor's bytes as floats, which a device copies without a conversion whatever they mean.
inline Tensor as_floats(const Tensor& tensor) {
  const auto count = static_cast<std::int64_t>(tensor.bytes() / sizeof(float));
  return {tensor.data, {.channels = count}, DataType::f32};
}

/// The bytes that a tensor of `bytes` bytes occupies in an arena. Padding aligns the next tensor
/// for every vector instruction and GPU load.
inline std::size_t aligned_bytes(std::size_t bytes) {
  constexpr std::size_t alignment = 256;
  return (bytes + alignment - 1) / alignment * alignment;
}
inline std::size_t aligned_bytes(const Tensor& tensor) { return aligned_bytes(tensor.bytes()); }

/// N square matrices (N,C,C).
constexpr Shape matrix_shape(std::int64_t batch, std::int64_t channels) {
  return {batch, 1, channels, channels};
}

}  // namespace impasto
