// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "benchmarks/work.hpp"
#include "host/runtime/runtime.hpp"
#include "kernels/common/ladder.hpp"

namespace impasto::bench::IMPASTO_DEVICE {

using impasto::IMPASTO_DEVICE::Runtime;

/// Where on the axes a row lies.
struct Point {
  kernels::MapSize size;  ///< of the feature map, or of the pixels, batch included
  DataType type = DataType::f32;
};

/// The largest difference from the reference in double, divided by the RMS of the reference.
struct Verdict {
  double error = 0;
  double limit = 0;
  [[nodiscard]] bool good() const { return error <= limit; }
};

/// One rung on one point, its arrays in the device's memory. Libraries' ways to do the same come
/// first, as rung 0 (libraries.hpp).
struct Contender {
  kernels::Rung rung;
  work::Work work;        ///< what has to be moved and computed, whoever does it
  work::Traffic traffic;  ///< what this rung asks of global memory; of a library's nobody knows
  std::function<void()> launch;
  std::function<Verdict()> verify;  ///< launches once, on fresh inputs
};

/// An operation with a ladder. `contenders` is empty where the operation has no such point.
struct Op {
  std::string_view name;
  bool on_pixels = false;  ///< works on images and not on feature maps
  std::vector<Contender> (*contenders)(Runtime& runtime, const Point& point);
};

/// Every operation with a ladder.
const std::vector<Op>& ops();

// One for each, in <op>.cpp.
std::vector<Contender> adam_contenders(Runtime& runtime, const Point& point);
std::vector<Contender> content_loss_contenders(Runtime& runtime, const Point& point);
std::vector<Contender> first_conv_forward_contenders(Runtime& runtime, const Point& point);
std::vector<Contender> first_conv_backward_contenders(Runtime& runtime, const Point& point);
std::vector<Contender> gram_contenders(Runtime& runtime, const Point& point);
std::vector<Contender> gram_loss_contenders(Runtime& runtime, const Point& point);
std::vector<Contender> pool_backward_contenders(Runtime& runtime, const Point& point);
std::vector<Contender> style_backward_contenders(Runtime& runtime, const Point& point);
std::vector<Contender> total_variation_contenders(Runtime& runtime, const Point& point);

}  // namespace impasto::bench::IMPASTO_DEVICE
