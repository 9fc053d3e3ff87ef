// SPDX-License-Identifier: MIT
#include "host/backend/cpu/style.hpp"

#include <algorithm>

#include "kernels/gram/gram.hpp"
#include "kernels/style_backward/style_backward.hpp"

namespace impasto::cpu {

void Gram::operator()(const Tensor& gram, const Tensor& features) {
  const std::int64_t channels = features.shape.channels;
  const std::int64_t pixels = features.shape.pixels();
  const std::int64_t chunk = kernels::cpu::gram_chunk_pixels(pixels);
  const std::int64_t whole = pixels / chunk;
  const std::int64_t rest = pixels % chunk;
  const std::int64_t chunks = whole + (rest != 0 ? 1 : 0);
  const std::int64_t square = channels * channels;
  partial_.resize(std::max(partial_.size(), static_cast<std::size_t>(chunks * square)));

  const std::size_t value_bytes = size_of(features.type);
  for (std::int64_t n = 0; n < features.shape.batch; ++n) {
    auto* map = features.as<std::byte>() +
                static_cast<std::size_t>(n * features.shape.per_image()) * value_bytes;
    const auto multiply = [&](std::int64_t first, std::int64_t count, std::int64_t length) {
      auto* rows = map + static_cast<std::size_t>(first * chunk * channels) * value_bytes;
      const Matrix f{rows, features.type, count, length, channels};
      const Matrix f_transposed{rows, features.type, count, channels, length, true};
      const Matrix sum{partial_.data() + first * square, DataType::f32, count, channels, channels};
      matmul_(sum, f_transposed, f, false);
    };
    multiply(0, whole, chunk);
    if (rest != 0) multiply(whole, 1, rest);

    float* out = gram.as<float>() + n * square;
#pragma omp parallel for schedule(static)
    for (std::int64_t i = 0; i < square; ++i) {
      double sum = 0;
      for (std::int64_t k = 0; k < chunks; ++k) {
        sum += static_cast<double>(partial_[static_cast<std::size_t>(k * square + i)]);
      }
      out[i] = static_cast<float>(sum);
    }
  }
}

void StyleBackward::operator()(const Tensor& grad, const Tensor& features, const Tensor& matrix,
                               const GradientEpilogue& epilogue) {
  const Shape& shape = features.shape;
  void* m = matrix.data;
  if (features.type == DataType::bf16) {
    const auto* wide = matrix.as<float>();
    narrow_.resize(std::max(narrow_.size(), static_cast<std::size_t>(matrix.shape.count())));
    std::transform(wide, wide + matrix.shape.count(), narrow_.begin(),
                   [](float value) { return kernels::bfloat16(value); });
    m = narrow_.data();
  }
  const std::int64_t channels = shape.channels;
  matmul_({grad.data, grad.type, shape.batch, shape.pixels(), channels},
          {features.data, features.type, shape.batch, shape.pixels(), channels},
          {m, features.type, shape.batch, channels, channels}, epilogue.accumulate);
  if (epilogue.relu_mask) {
    dispatch<float, kernels::bfloat16>(grad.type, [&]<class T>(T) {
      kernels::cpu::relu_mask(grad.as<T>(), features.as<T>(), shape.count());
    });
  }
}

}  // namespace impasto::cpu
