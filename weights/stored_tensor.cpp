// SPDX-License-Identifier: MIT
#include "weights/stored_tensor.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "host/core/error.hpp"
#include "kernels/common/bfloat16.hpp"
#include "kernels/common/float16.hpp"
#include "weights/published.hpp"

namespace impasto {
namespace {

constexpr std::uint64_t max_values = std::uint64_t{8}
                                     << 20U;  // the largest we need has 2.4 million
constexpr std::size_t max_rank = 8;

[[noreturn]] void refuse(const StoredTensor& tensor, const std::string& what) {
  tensor.storage.refuse(fmt::format("{} {}", tensor.name, what));
}

std::uint64_t element_bytes(const StoredTensor& tensor) {
  switch (tensor.type) {
    case ElementType::float16:
    case ElementType::bfloat16: return 2;
    case ElementType::float32: return 4;
    case ElementType::float64: return 8;
    case ElementType::other: break;
  }
  refuse(tensor, "holds no real numbers of 16, 32 or 64 bits");
}

/// How many values there are, at most max_values.
std::uint64_t count_of(const StoredTensor& tensor) {
  if (tensor.shape.size() > max_rank || tensor.strides.size() != tensor.shape.size()) {
    refuse(tensor,
           fmt::format("has {} axes and {} strides", tensor.shape.size(), tensor.strides.size()));
  }
  std::uint64_t count = 1;
  for (const std::uint64_t side : tensor.shape) {
    if (side == 0 || side > max_values / count) {
      refuse(tensor, fmt::format("has the shape ({}); expected 1 to {} values",
                                 fmt::join(tensor.shape, ", "), max_values));
    }
    count *= side;
  }
  return count;
}

/// The values must be next to each other, whatever the order of the axes.
void check_dense(const StoredTensor& tensor) {
  std::vector<std::size_t> axes(tensor.shape.size());
  std::iota(axes.begin(), axes.end(), 0);
  std::erase_if(axes, [&](std::size_t axis) { return tensor.shape[axis] == 1; });
  std::ranges::sort(axes, {}, [&](std::size_t axis) { return tensor.strides[axis]; });
  std::uint64_t expected = 1;
  for (const std::size_t axis : axes) {
    if (tensor.strides[axis] != expected) {
      refuse(tensor, fmt::format("has the strides ({}) with the shape ({}); expected values next "
                                 "to each other",
                                 fmt::join(tensor.strides, ", "), fmt::join(tensor.shape, ", ")));
    }
    expected *= tensor.shape[axis];
  }
}

template <class T>
std::vector<float> to_floats(std::span<const char> bytes) {
  std::vector<float> values(bytes.size() / sizeof(T));
  for (std::size_t i = 0; i < values.size(); ++i) {
    T value;
    std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
    values[i] = static_cast<float>(value);
  }
  return values;
}

std::vector<float> decode(ElementType type, std::span<const char> bytes) {
  switch (type) {
    case ElementType::float16: return to_floats<kernels::float16>(bytes);
    case ElementType::bfloat16: return to_floats<kernels::bfloat16>(bytes);
    case ElementType::float64: return to_floats<double>(bytes);
    default: return to_floats<float>(bytes);
  }
}

/// From the order of storage to that of the axes.
std::vector<float> in_order(const StoredTensor& tensor, const std::vector<float>& stored) {
  std::vector<float> values(stored.size());
  std::vector<std::uint64_t> index(tensor.shape.size());
  std::uint64_t from = 0;
  for (float& value : values) {
    value = stored[from];
    for (std::size_t axis = index.size(); axis-- > 0;) {
      from += tensor.strides[axis];
      if (++index[axis] < tensor.shape[axis]) break;
      from -= tensor.strides[axis] * tensor.shape[axis];
      index[axis] = 0;
    }
  }
  return values;
}

}  // namespace

std::vector<std::uint64_t> contiguous_strides(std::span<const std::uint64_t> shape) {
  std::vector<std::uint64_t> strides(shape.size());
  std::uint64_t stride = 1;
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

std::vector<float> read_values(const StoredTensor& tensor) {
  const std::uint64_t width = element_bytes(tensor);
  const std::uint64_t count = count_of(tensor);
  const std::uint64_t there = tensor.storage.bytes() / width;
  if (count > there || tensor.offset > there - count) {
    refuse(tensor,
           fmt::format("takes {} values at {} from a storage of {}", count, tensor.offset, there));
  }
  check_dense(tensor);
  std::vector<char> bytes(count * width);
  tensor.storage.read(tensor.offset * width, bytes);
  std::vector<float> values = decode(tensor.type, bytes);
  check_values(tensor.storage.name(), tensor.name, values);
  return tensor.strides == contiguous_strides(tensor.shape) ? values : in_order(tensor, values);
}

void check_apart(std::span<const StoredTensor* const> tensors) {
  struct Range {
    std::uint64_t begin;
    std::uint64_t end;
    const StoredTensor* tensor;
  };
  std::vector<Range> ranges;
  for (const StoredTensor* tensor : tensors) {
    const std::uint64_t width = element_bytes(*tensor);
    const std::uint64_t begin = tensor->storage.begin() + tensor->offset * width;
    ranges.push_back({begin, begin + count_of(*tensor) * width, tensor});
  }
  std::ranges::sort(ranges, {}, &Range::begin);
  for (std::size_t i = 1; i < ranges.size(); ++i) {
    if (ranges[i].begin < ranges[i - 1].end) {
      refuse(*ranges[i].tensor, fmt::format("shares values with {}", ranges[i - 1].tensor->name));
    }
  }
}

}  // namespace impasto
