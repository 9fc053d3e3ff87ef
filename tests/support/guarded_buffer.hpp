// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <gtest/gtest.h>
#include <limits>
#include <vector>

#include "kernels/common/bfloat16.hpp"

namespace impasto::test {

/// An array between two rows of sentinels, filled with NaN: a kernel that writes outside it, or
/// reads an output before it wrote it, is caught. The sentinels are looked at when the buffer goes.
/// The data start one element off any vector's alignment, as a slice of a larger array may.
template <class T>
class GuardedBuffer {
 public:
  using value_type = T;

  explicit GuardedBuffer(std::int64_t count,
                         T value = static_cast<T>(std::numeric_limits<float>::quiet_NaN()))
      : size_(static_cast<std::size_t>(count)), words_(size_ + 2 * guard, value) {
    std::memset(static_cast<void*>(words_.data()), sentinel, guard * sizeof(T));
    std::memset(static_cast<void*>(end()), sentinel, guard * sizeof(T));
  }
  GuardedBuffer(std::initializer_list<T> values)
      : GuardedBuffer(static_cast<std::int64_t>(values.size())) {
    std::copy(values.begin(), values.end(), begin());
  }
  GuardedBuffer(const GuardedBuffer&) = default;
  GuardedBuffer(GuardedBuffer&&) noexcept = default;
  GuardedBuffer& operator=(const GuardedBuffer&) = default;
  GuardedBuffer& operator=(GuardedBuffer&&) noexcept = default;
  ~GuardedBuffer() { check(); }

  [[nodiscard]] T* data() { return words_.data() + guard; }
  [[nodiscard]] const T* data() const { return words_.data() + guard; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] T* begin() { return data(); }
  [[nodiscard]] T* end() { return data() + size(); }
  [[nodiscard]] const T* begin() const { return data(); }
  [[nodiscard]] const T* end() const { return data() + size(); }
  [[nodiscard]] T& operator[](std::size_t i) { return data()[i]; }
  [[nodiscard]] const T& operator[](std::size_t i) const { return data()[i]; }

  /// Fails the test where a sentinel was overwritten.
  void check() const {
    const auto* bytes = reinterpret_cast<const unsigned char*>(words_.data());
    for (std::size_t word = 0; word < words_.size(); ++word) {
      if (word == guard) word += size();
      const unsigned char* first = bytes + word * sizeof(T);
      if (std::any_of(first, first + sizeof(T), [](unsigned char b) { return b != sentinel; })) {
        ADD_FAILURE() << "a kernel wrote outside its buffer: element "
                      << static_cast<std::int64_t>(word) - static_cast<std::int64_t>(guard)
                      << " of " << size();
        return;
      }
    }
  }

 private:
  static constexpr std::size_t guard = 17;
  static constexpr unsigned char sentinel = 0xA5;
  std::size_t size_;
  std::vector<T> words_;  ///< empty once moved from
};

/// The same values for the reference.
template <class T>
GuardedBuffer<double> widened(const GuardedBuffer<T>& values) {
  GuardedBuffer<double> wide(static_cast<std::int64_t>(values.size()));
  std::transform(values.begin(), values.end(), wide.begin(),
                 [](T value) { return static_cast<double>(static_cast<float>(value)); });
  return wide;
}

/// The reference's values, rounded once to the type a kernel stores.
template <class T>
GuardedBuffer<T> rounded(const GuardedBuffer<double>& values) {
  GuardedBuffer<T> narrow(static_cast<std::int64_t>(values.size()));
  std::transform(values.begin(), values.end(), narrow.begin(),
                 [](double value) { return static_cast<T>(static_cast<float>(value)); });
  return narrow;
}

/// A worked example's numbers in the type that a kernel stores.
template <class T>
GuardedBuffer<T> numbers(const std::vector<double>& values) {
  GuardedBuffer<T> result(static_cast<std::int64_t>(values.size()));
  std::transform(values.begin(), values.end(), result.begin(),
                 [](double value) { return static_cast<T>(static_cast<float>(value)); });
  return result;
}

/// The same small case through the reference and both CPU types.
template <class Check>
void for_each_type(Check check) {
  check.template operator()<double>();
  check.template operator()<float>();
  check.template operator()<kernels::bfloat16>();
}

}  // namespace impasto::test
