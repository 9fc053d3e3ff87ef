// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "host/backend/backend.hpp"

namespace impasto::work {

/// What an operation has to do at least, whoever does it: floating-point operations, and bytes read
/// and written once each. A rate measured against it is comparable between implementations, and
/// between an implementation and the machine's ceilings (ceilings_bench). The contracts in
/// kernels/<op>/<op>.hpp state the same costs in words; these are the only formulas.
struct Work {
  double flops = 0;
  double bytes = 0;

  Work& operator+=(const Work& other) {
    flops += other.flops;
    bytes += other.bytes;
    return *this;
  }
};

inline double values(const Shape& shape) { return static_cast<double>(shape.count()); }
inline double width(DataType type) { return static_cast<double>(size_of(type)); }

/// What an epilogue reads besides: the gradient it adds to, the features it masks by.
inline double extra_reads(const GradientEpilogue& epilogue) {
  return (epilogue.accumulate ? 1 : 0) + (epilogue.relu_mask ? 1 : 0);
}

/// A 3×3 convolution from x to y; its data gradient is one from y to x.
inline Work conv(const Shape& x, const Shape& y, DataType type) {
  const double filters = 9.0 * static_cast<double>(x.channels * y.channels);
  return {.flops = 2 * filters * values(y) / static_cast<double>(y.channels),
          .bytes = width(type) * (values(x) + values(y) + filters)};
}

inline Work pool_forward(const Shape& x, const Shape& y, DataType type) {
  return {.flops = values(x), .bytes = width(type) * (values(x) + values(y))};
}

/// The maximum has to be found again; an average needs x for the mask alone.
inline Work pool_backward(const Shape& x, const Shape& y, DataType type, const PoolKind& kind,
                          const GradientEpilogue& epilogue) {
  const bool reads_x = kind.mode == kernels::PoolMode::max || epilogue.relu_mask;
  const double of_x = 1 + (reads_x ? 1 : 0) + (epilogue.accumulate ? 1 : 0);
  return {.flops = values(x), .bytes = width(type) * (of_x * values(x) + values(y))};
}

/// Without the symmetry, which no library product uses.
inline Work gram(const Shape& features, DataType type) {
  const auto square = static_cast<double>(features.channels * features.channels);
  return {.flops = 2 * static_cast<double>(features.channels) * values(features),
          .bytes = width(type) * values(features) + 4 * square};
}

inline Work style_loss(std::int64_t channels) {
  const auto square = static_cast<double>(channels * channels);
  return {.flops = 4 * square, .bytes = 12 * square};
}

inline Work style_backward(const Shape& features, DataType type, const GradientEpilogue& epilogue) {
  const auto square = static_cast<double>(features.channels * features.channels);
  const double moved = 2 + (epilogue.accumulate ? 1 : 0);  // the mask's features are read anyway
  return {.flops = 2 * static_cast<double>(features.channels) * values(features),
          .bytes = width(type) * moved * values(features) + 4 * square};
}

inline Work content_loss(const Shape& features, DataType type, const GradientEpilogue& epilogue) {
  const double moved = 3 + (epilogue.accumulate ? 1 : 0);
  return {.flops = 5 * values(features), .bytes = width(type) * moved * values(features)};
}

inline Work relu_mask(const Shape& features, DataType type) {
  return {.flops = 0, .bytes = width(type) * 3 * values(features)};
}

inline Work preprocess(const Shape& pixels, DataType type) {
  return {.flops = values(pixels), .bytes = (4 + width(type)) * values(pixels)};
}

inline Work total_variation(const Shape& pixels) {
  return {.flops = 11 * values(pixels), .bytes = 12 * values(pixels)};
}

inline Work adam(const Shape& pixels) {
  return {.flops = 12 * values(pixels), .bytes = 28 * values(pixels)};
}

}  // namespace impasto::work
