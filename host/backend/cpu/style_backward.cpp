// SPDX-License-Identifier: MIT
#include "host/backend/cpu/style_backward.hpp"

#include <algorithm>

#include "host/backend/cpu/dispatch.hpp"
#include "kernels/style_backward/style_backward.hpp"

namespace impasto::cpu {

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
  product_({grad.data, grad.type, shape.batch, shape.pixels(), channels},
           {features.data, features.type, shape.batch, shape.pixels(), channels},
           {m, features.type, shape.batch, channels, channels}, epilogue.accumulate);
  if (epilogue.relu_mask) {
    dispatch(grad.type, [&]<class T>(T) {
      kernels::cpu::relu_mask(grad.as<T>(), features.as<T>(), shape.count());
    });
  }
}

}  // namespace impasto::cpu
