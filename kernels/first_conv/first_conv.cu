// SPDX-License-Identifier: MIT
#include <array>

#include "kernels/common/tuning.hpp"
#include "kernels/first_conv/first_conv.hpp"
#include "kernels/first_conv/rung_1_naive.cuh"
#include "kernels/first_conv/rung_2_lane_weights.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {
namespace {

constexpr std::array forward_ladder = {
    FirstConvForwardRung::of<FirstConvForwardNaive>(
        {.name = "rung_1_naive", .idea = "a thread for each value"}),
    FirstConvForwardRung::of<FirstConvForwardLaneWeights>(
        {.name = "rung_2_lane_weights",
         .idea = "54 weights in each lane's registers",
         .ships = true}),
};
constexpr std::array backward_ladder = {
    FirstConvBackwardRung::of<FirstConvBackwardNaive>(
        {.name = "rung_1_naive", .idea = "a thread for each value"}),
    FirstConvBackwardRung::of<FirstConvBackwardLaneWeights>(
        {.name = "rung_2_lane_weights",
         .idea = "54 weights in each lane's registers",
         .ships = true}),
};

}  // namespace

std::span<const FirstConvForwardRung> first_conv_forward_ladder() { return forward_ladder; }
std::span<const FirstConvBackwardRung> first_conv_backward_ladder() { return backward_ladder; }

template <class T>
void first_conv_forward(T* y, const float* pixels, const float* weight, const float* bias,
                        const std::array<float, 3>& mean, const MapSize& y_size, bool relu,
                        Stream stream) {
  const FirstConvForwardRung& rung =
      shipped_rung<T>(first_conv_forward_ladder(), "first_conv_forward", Arithmetic::fp32, y_size);
  rung.launch.template get<T>()(y, pixels, weight, bias, mean, y_size, relu, stream);
}

template <class T>
void first_conv_backward(float* grad_pixels, const T* grad_y, const float* weight,
                         const MapSize& y_size, Stream stream) {
  const FirstConvBackwardRung& rung = shipped_rung<T>(
      first_conv_backward_ladder(), "first_conv_backward", Arithmetic::fp32, y_size);
  rung.launch.template get<T>()(grad_pixels, grad_y, weight, y_size, stream);
}

#define IMPASTO_FIRST_CONV(T)                                                                  \
  template void first_conv_forward(T*, const float*, const float*, const float*,               \
                                   const std::array<float, 3>&, const MapSize&, bool, Stream); \
  template void first_conv_backward(float*, const T*, const float*, const MapSize&, Stream);
IMPASTO_FIRST_CONV(float)
IMPASTO_FIRST_CONV(bfloat16)
IMPASTO_FIRST_CONV(float16)
#undef IMPASTO_FIRST_CONV

}  // namespace impasto::kernels::IMPASTO_DEVICE
