// SPDX-License-Identifier: MIT
#include "host/backend/cpu/style.hpp"

#include <algorithm>

#include "kernels/gram/gram.hpp"
#include "kernels/style_backward/style_backward.hpp"
#include "kernels/style_loss/style_loss.hpp"

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

namespace {

void narrow(kernels::bfloat16* to, const float* from, std::int64_t count) {
  std::transform(from, from + count, to, [](float value) { return kernels::bfloat16(value); });
}

}  // namespace

void NarrowGramLoss::operator()(const Tensor& loss, const Tensor& matrix, const Tensor& features,
                                const Tensor& target, const StyleLossScale& scale) {
  const Shape& shape = matrix.shape;
  wide_.resize(std::max(wide_.size(), static_cast<std::size_t>(shape.count())));
  const Tensor wide{wide_.data(), shape, DataType::f32};
  gram_(wide, features);
  kernels::cpu::style_loss(loss.as<float>(), wide_.data(), wide_.data(), target.as<float>(),
                           shape.batch, shape.channels, scale);
  narrow(matrix.as<kernels::bfloat16>(), wide_.data(), shape.count());
}

void StyleBackward::operator()(const Tensor& grad, const Tensor& features, const Tensor& matrix,
                               const GradientEpilogue& epilogue) {
  const Shape& shape = features.shape;
  void* m = matrix.data;
  if (matrix.type != features.type) {
    narrow_.resize(std::max(narrow_.size(), static_cast<std::size_t>(matrix.shape.count())));
    narrow(narrow_.data(), matrix.as<float>(), matrix.shape.count());
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
