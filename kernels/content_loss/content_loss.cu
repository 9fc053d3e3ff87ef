// SPDX-License-Identifier: MIT
#include <array>

#include "kernels/common/tuning.hpp"
#include "kernels/content_loss/content_loss.hpp"
#include "kernels/content_loss/rung_1_naive.cuh"
#include "kernels/content_loss/rung_2_one_pass.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {
namespace {

constexpr std::array ladder = {
    ContentLossRung::of<ContentLossNaive>(
        {.name = "rung_1_naive", .idea = "loss and gradient, a pass each"}),
    ContentLossRung::of<ContentLossOnePass>(
        {.name = "rung_2_one_pass", .idea = "both in one pass, 16 bytes a load", .ships = true}),
};

}  // namespace

std::span<const ContentLossRung> content_loss_ladder() { return ladder; }

template <class T>
void content_loss(float* loss, T* grad, const T* features, const T* target, const MapSize& size,
                  const ContentLossScale& scale, const GradientEpilogue& epilogue,
                  double* workspace, unsigned* blocks_done, Stream stream) {
  const ContentLossRung& rung =
      shipped_rung<T>(content_loss_ladder(), "content_loss", Arithmetic::fp32, size);
  rung.launch.template get<T>()(loss, grad, features, target, size, scale, epilogue, workspace,
                                blocks_done, stream);
}

#define IMPASTO_CONTENT_LOSS(T)                                                                    \
  template void content_loss(float*, T*, const T*, const T*, const MapSize&,                       \
                             const ContentLossScale&, const GradientEpilogue&, double*, unsigned*, \
                             Stream);
IMPASTO_CONTENT_LOSS(float)
IMPASTO_CONTENT_LOSS(bfloat16)
IMPASTO_CONTENT_LOSS(float16)
#undef IMPASTO_CONTENT_LOSS

}  // namespace impasto::kernels::IMPASTO_DEVICE
