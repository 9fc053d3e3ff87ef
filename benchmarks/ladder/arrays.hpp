// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <type_traits>
#include <vector>

#include "benchmarks/ladder/contender.hpp"
#include "kernels/common/philox.hpp"

namespace impasto::bench::IMPASTO_DEVICE {

/// An array in the device's memory.
template <class T>
class Array {
 public:
  Array(Runtime& runtime, std::int64_t count)
      : runtime_(&runtime),
        count_(static_cast<std::size_t>(std::max<std::int64_t>(count, 1))),
        memory_(runtime.allocate(count_ * sizeof(T))) {}
  Array(Runtime& runtime, const std::vector<T>& values)
      : Array(runtime, static_cast<std::int64_t>(values.size())) {
    write(values);
  }

  [[nodiscard]] T* data() const { return static_cast<T*>(memory_.get()); }
  void write(const std::vector<T>& values) {
    runtime_->copy_to_device(data(), values.data(), count_ * sizeof(T));
    runtime_->synchronize();
  }
  [[nodiscard]] std::vector<T> values() const {
    std::vector<T> result(count_);
    runtime_->copy_to_host(result.data(), data(), count_ * sizeof(T));
    runtime_->synchronize();
    return result;
  }

 private:
  Runtime* runtime_;
  std::size_t count_;
  std::shared_ptr<void> memory_;
};

// Inputs are ordinary numbers, the same in every run: zeros, denormals and NaN have speeds of their
// own.

/// Uniform in [lowest, highest).
template <class T>
std::vector<T> uniform(std::int64_t count, std::uint32_t seed, float lowest, float highest) {
  std::vector<T> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto bits = kernels::philox4x32({static_cast<std::uint32_t>(i / 4), 0, 0, 0}, {seed, 7});
    const float unit = kernels::philox_uniform(bits[i % 4]);
    values[i] = static_cast<T>(lowest + (highest - lowest) * unit);
  }
  return values;
}

/// What a ReLU leaves: half of the values are zero.
template <class T>
std::vector<T> features(std::int64_t count, std::uint32_t seed) {
  std::vector<T> values = uniform<T>(count, seed, -1, 1);
  for (T& value : values) {
    if (static_cast<float>(value) < 0) value = T{};
  }
  return values;
}

template <class T>
std::vector<double> widened(const std::vector<T>& values) {
  std::vector<double> wide(values.size());
  std::transform(values.begin(), values.end(), wide.begin(),
                 [](T value) { return static_cast<double>(static_cast<float>(value)); });
  return wide;
}

/// NaN counts as infinitely wrong.
template <class T>
Verdict compare(const std::vector<T>& actual, const std::vector<double>& expected, double limit) {
  double squares = 0;
  double worst = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double difference =
        std::abs(static_cast<double>(static_cast<float>(actual[i])) - expected[i]);
    worst = std::isfinite(difference) ? std::max(worst, difference) : HUGE_VAL;
    squares += expected[i] * expected[i];
    if (!std::isfinite(worst)) break;
  }
  const double rms = std::sqrt(squares / static_cast<double>(expected.size()));
  return {rms > 0 ? worst / rms : worst, limit};
}

inline Verdict worse(const Verdict& one, const Verdict& other) {
  return one.error * other.limit > other.error * one.limit ? one : other;
}

/// What one rounding to T may cost a value of a few times the RMS, twice over: the reference is not
/// rounded.
template <class T>
constexpr double rounding_limit = std::is_same_v<T, float>               ? 4e-6
                                  : std::is_same_v<T, kernels::bfloat16> ? 4e-2
                                                                         : 5e-3;

/// Calls body.operator()<T>() for the type that stores the point's maps.
template <class Body>
auto with_storage(DataType type, Body body) {
  switch (type) {
    case DataType::bf16: return body.template operator()<kernels::bfloat16>();
    case DataType::fp16: return body.template operator()<kernels::float16>();
    default: return body.template operator()<float>();
  }
}

}  // namespace impasto::bench::IMPASTO_DEVICE
