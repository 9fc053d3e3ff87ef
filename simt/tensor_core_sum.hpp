// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

namespace simt {

/// How a tensor core adds the products of a row and a column to a sum.
struct TensorCoreSum {
  /// How many products are added at once; 0: all of them and the sum, exactly, and the result is
  /// rounded once, to nearest. No GPU does that.
  std::size_t products_at_once = 0;
  /// Bits that a summand keeps below the last bit of the largest one. What is below them is cut off,
  /// and so is what a float does not hold of the result.
  int extra_bits = 0;

  /// As measured on GPUs: Fasi, Higham, Mikaitis, Pranesh 2021 (PeerJ CS 330) for Ampere, Khattak
  /// and Mikaitis 2025 (arXiv 2512.07004) for Hopper.
  static constexpr TensorCoreSum ampere() { return {8, 1}; }
  static constexpr TensorCoreSum hopper() { return {16, 2}; }

  /// sum + Σ products.
  [[nodiscard]] float add(float sum, std::span<const double> products) const {
    if (products_at_once == 0) {
      auto exact = static_cast<double>(sum);
      for (const double product : products) exact += product;
      return static_cast<float>(exact);
    }
    while (!products.empty()) {
      const auto together = products.first(std::min(products_at_once, products.size()));
      sum = add_aligned(sum, together);
      products = products.subspan(together.size());
    }
    return sum;
  }

 private:
  [[nodiscard]] float add_aligned(float sum, std::span<const double> products) const {
    auto largest = std::abs(static_cast<double>(sum));
    for (const double product : products) largest = std::max(largest, std::abs(product));
    if (largest == 0 || !std::isfinite(largest)) {
      auto exact = static_cast<double>(sum);
      for (const double product : products) exact += product;
      return static_cast<float>(exact);
    }
    // Multiples of `unit` below 2⁵³ of them: these sums are exact.
    const double unit = std::ldexp(1.0, std::ilogb(largest) - 23 - extra_bits);
    double total = std::trunc(static_cast<double>(sum) / unit);
    for (const double product : products) total += std::trunc(product / unit);
    const double result = total * unit;
    const auto rounded = static_cast<float>(result);
    const bool away = std::abs(static_cast<double>(rounded)) > std::abs(result);
    return away ? std::nextafter(rounded, 0.0F) : rounded;
  }
};

}  // namespace simt
