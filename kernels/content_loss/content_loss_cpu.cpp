// SPDX-License-Identifier: MIT
#include <type_traits>

#include "kernels/common/epilogue.hpp"
#include "kernels/common/parallel.hpp"
#include "kernels/content_loss/content_loss.hpp"

namespace impasto::kernels::cpu {
namespace {

/// Takes the place of an epilogue where only the loss is wanted.
struct NoGradient {};

template <class Epilogue, class T>
double chunk_sum(T* grad, const T* features, const T* target, std::int64_t count,
                 float gradient_scale) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t i = 0; i < count; ++i) {
    const float difference = static_cast<float>(features[i]) - static_cast<float>(target[i]);
    sum += static_cast<double>(difference) * static_cast<double>(difference);
    if constexpr (!std::is_same_v<Epilogue, NoGradient>) {
      Epilogue::join(grad + i, gradient_scale * difference, features + i);
    }
  }
  return sum;
}

}  // namespace

template <class T>
void content_loss(float* loss, T* grad, const T* features, const T* target, const MapSize& size,
                  const ContentLossScale& scale, const GradientEpilogue& epilogue) {
  const std::int64_t per_image = size.per_image();
  const auto gradient_scale = static_cast<float>(scale.gradient);
  const auto run = [&]<class Epilogue>(Epilogue) {
    for (std::int64_t n = 0; n < size.batch; ++n) {
      const double sum = ordered_sum(per_image, [&](std::int64_t begin, std::int64_t end) {
        const std::int64_t at = n * per_image + begin;
        T* grad_chunk = nullptr;
        if constexpr (!std::is_same_v<Epilogue, NoGradient>) grad_chunk = grad + at;
        return chunk_sum<Epilogue>(grad_chunk, features + at, target + at, end - begin,
                                   gradient_scale);
      });
      loss[n] = static_cast<float>(scale.loss * sum);
    }
  };
  if (grad == nullptr) {
    run(NoGradient{});
  } else {
    with_epilogue(epilogue, run);
  }
}

template void content_loss(float*, float*, const float*, const float*, const MapSize&,
                           const ContentLossScale&, const GradientEpilogue&);
template void content_loss(float*, bfloat16*, const bfloat16*, const bfloat16*, const MapSize&,
                           const ContentLossScale&, const GradientEpilogue&);

}  // namespace impasto::kernels::cpu
