// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "host/core/tensor.hpp"
#include "kernels/common/size.hpp"
#include "kernels/pool/pool.hpp"
#include "kernels/replicate_border/replicate_border.hpp"

namespace impasto::work {

using kernels::GradientEpilogue;
using kernels::PoolKind;

/// The least that an operation must do in any implementation: floating-point operations, and bytes
/// that it reads and writes once each. Rates measured against it can be compared between
/// implementations and with the machine's peak. The contracts in kernels/<op>/<op>.hpp state the same costs in
/// words; these are the only formulas.
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
inline double width(DataType type) {
  return type == DataType::f64 || type == DataType::i64 ? 8 : type == DataType::f32 ? 4 : 2;
}

/// The values of a C×C matrix for each image.
inline double matrices(const Shape& features) {
  return static_cast<double>(features.batch * features.channels * features.channels);
}

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

inline Work max_blur_backward(const Shape& x, const Shape& y, DataType type,
                              const GradientEpilogue& epilogue) {
  const double of_x = 2 + (epilogue.accumulate ? 1 : 0);
  return {.flops = values(x), .bytes = width(type) * (of_x * values(x) + values(y))};
}

/// Without the symmetry, which no library product uses.
inline Work gram(const Shape& features, DataType type) {
  const double square = matrices(features);
  return {.flops = 2 * static_cast<double>(features.channels) * values(features),
          .bytes = width(type) * values(features) + 4 * square};
}

/// The target is the batch's.
inline Work style_loss(std::int64_t channels, std::int64_t batch = 1) {
  const auto square = static_cast<double>(channels * channels);
  const auto N = static_cast<double>(batch);
  return {.flops = 4 * square * N, .bytes = (8 * N + 4) * square};
}

inline Work style_backward(const Shape& features, DataType type, const GradientEpilogue& epilogue) {
  const double square = matrices(features);
  const double moved = 2 + (epilogue.accumulate ? 1 : 0);  // the mask's features are read anyway
  return {.flops = 2 * static_cast<double>(features.channels) * values(features),
          .bytes = width(type) * moved * values(features) + 4 * square};
}

inline Work content_loss(const Shape& features, DataType type, const GradientEpilogue& epilogue) {
  const double moved = 3 + (epilogue.accumulate ? 1 : 0);
  return {.flops = 5 * values(features), .bytes = width(type) * moved * values(features)};
}

/// Three channels to as many as y has, pixels in float; and back.
inline Work first_conv(const Shape& y, DataType type) {
  const double pixels = values(y) / static_cast<double>(y.channels);
  const double weights = 27.0 * static_cast<double>(y.channels);
  return {.flops = 2 * weights * pixels,
          .bytes = 12 * pixels + width(type) * values(y) + 4 * weights};
}

/// The border of that.
inline Work replicate_border(const Shape& y, DataType type) {
  const auto border = static_cast<double>(y.batch * kernels::border_count(y.height, y.width));
  const auto channels = static_cast<double>(y.channels);
  return {.flops = 54 * channels * border,
          .bytes = 12 * border + width(type) * channels * border + 108 * channels};
}

/// A Gram matrix's loss and M without the matrix having been written or read: the fusion of the
/// two.
inline Work gram_loss(const Shape& features, DataType type) {
  const Work product = gram(features, type);
  const Work loss = style_loss(features.channels, features.batch);
  const double between = 8 * matrices(features);
  return {.flops = product.flops + loss.flops, .bytes = product.bytes + loss.bytes - between};
}

inline Work relu_mask(const Shape& features, DataType type) {
  return {.flops = 0, .bytes = width(type) * 3 * values(features)};
}

inline Work preprocess(const Shape& pixels, DataType type) {
  return {.flops = values(pixels), .bytes = (4 + width(type)) * values(pixels)};
}

/// To eight channels, for a convolution that takes whole vectors of them.
inline Work preprocess_padded(const Shape& pixels, DataType type) {
  return {.flops = values(pixels), .bytes = (12 + 8 * width(type)) * values(pixels) / 3};
}

inline Work total_variation(const Shape& pixels) {
  return {.flops = 11 * values(pixels), .bytes = 12 * values(pixels)};
}

inline Work upsample_add(const Shape& pixels) {
  return {.flops = 9 * values(pixels), .bytes = 9 * values(pixels)};
}

inline Work upsample_transpose(const Shape& pixels) {
  return {.flops = 8 * values(pixels), .bytes = 5 * values(pixels)};
}

/// Reads y only to add to it.
inline Work axpby(const Shape& pixels, bool added) {
  return {.flops = 3 * values(pixels), .bytes = (added ? 12 : 8) * values(pixels)};
}

/// Its pairs are read twice.
inline Work lbfgs(const Shape& pixels, std::int64_t pairs) {
  const double vectors = 2 * static_cast<double>(pairs);
  return {.flops = (8 * vectors + 8) * values(pixels),
          .bytes = 4 * (2 * vectors + 9) * values(pixels)};
}

inline Work adam(const Shape& pixels) {
  return {.flops = 12 * values(pixels), .bytes = 28 * values(pixels)};
}

}  // namespace impasto::work
