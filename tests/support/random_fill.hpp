// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

#include "kernels/common/philox.hpp"
#include "tests/support/guarded_buffer.hpp"

namespace impasto::test {

namespace detail {
inline std::array<std::uint32_t, 4> random_bits(std::uint64_t seed, std::uint64_t index) {
  return kernels::philox4x32(
      {static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32U), 0, 0},
      {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32U)});
}
}  // namespace detail

/// Normal numbers (Box–Muller), the same for a seed on every machine.
template <class Values>
void fill_gaussian(Values& values, std::uint64_t seed, double mean = 0, double deviation = 1) {
  std::uint64_t index = 0;
  for (auto& value : values) {
    const auto bits = detail::random_bits(seed, index++);
    const double radius = std::sqrt(-2 * std::log((bits[0] + 0.5) * 0x1p-32));
    const double angle = 2 * std::numbers::pi * (bits[1] + 0.5) * 0x1p-32;
    const double number = mean + deviation * radius * std::cos(angle);
    value = static_cast<std::remove_reference_t<decltype(value)>>(static_cast<float>(number));
  }
}

/// What a feature map looks like: normal numbers after a ReLU, half of them zero.
template <class Values>
void fill_features(Values& values, std::uint64_t seed) {
  fill_gaussian(values, seed);
  for (auto& value : values) {
    if (static_cast<float>(value) < 0) value = std::remove_reference_t<decltype(value)>{};
  }
}

/// Integers from `lowest` to `highest`: sums of a few are exact in every type, in any order.
template <class Values>
void fill_integers(Values& values, std::uint64_t seed, int lowest, int highest) {
  const auto choices = static_cast<std::uint32_t>(highest - lowest + 1);
  std::uint64_t index = 0;
  for (auto& value : values) {
    const std::uint32_t chosen = detail::random_bits(seed, index++)[0] % choices;
    const auto number = static_cast<float>(lowest + static_cast<int>(chosen));
    value = static_cast<std::remove_reference_t<decltype(value)>>(number);
  }
}

template <class T = double>
GuardedBuffer<T> gaussian(std::int64_t count, std::uint64_t seed, double mean = 0,
                          double deviation = 1) {
  GuardedBuffer<T> values(count);
  fill_gaussian(values, seed, mean, deviation);
  return values;
}

template <class T = double>
GuardedBuffer<T> features(std::int64_t count, std::uint64_t seed) {
  GuardedBuffer<T> values(count);
  fill_features(values, seed);
  return values;
}

template <class T = double>
GuardedBuffer<T> integers(std::int64_t count, std::uint64_t seed, int lowest = -4,
                          int highest = 4) {
  GuardedBuffer<T> values(count);
  fill_integers(values, seed, lowest, highest);
  return values;
}

template <class T = double>
GuardedBuffer<T> zeros(std::int64_t count) {
  return GuardedBuffer<T>(count, T{});
}

}  // namespace impasto::test
