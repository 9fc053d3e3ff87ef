// SPDX-License-Identifier: MIT
#include <array>

#include "kernels/common/tuning.hpp"
#include "kernels/conv/conv.hpp"
#include "kernels/conv/rung_1_naive.cuh"
#include "kernels/conv/rung_2_tensor_cores.cuh"
#include "kernels/conv/rung_3_wgmma.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {
namespace {

constexpr Rung naive = {.name = "rung_1_naive", .idea = "a thread for each value", .ships = true};
constexpr Rung tensor_cores = {.name = "rung_2_tensor_cores",
                               .idea = "mma.sync, a tile with its border serves nine taps",
                               .arithmetic = Arithmetic::tensor_cores,
                               .least_sm = 80,
                               .ships = true};
constexpr Rung wgmma = {.name = "rung_3_wgmma",
                        .idea = "TMA and wgmma, filters stay in shared memory",
                        .arithmetic = Arithmetic::tensor_cores,
                        .least_sm = 90,
                        .sm_90a = true,
                        .persistent = true};

constexpr std::array forward_ladder = {
    ConvForwardRung::of<ConvForwardBy<ConvNaive>>(naive),
    ConvForwardRung::of_16_bit<ConvForwardBy<ConvTensorCores>>(tensor_cores),
    ConvForwardRung::of_16_bit<ConvForwardBy<ConvWgmma>>(wgmma),
};
constexpr std::array data_gradient_ladder = {
    ConvDataGradientRung::of<ConvDataGradientBy<ConvNaive>>(naive),
    ConvDataGradientRung::of_16_bit<ConvDataGradientBy<ConvTensorCores>>(tensor_cores),
    ConvDataGradientRung::of_16_bit<ConvDataGradientBy<ConvWgmma>>(wgmma),
};

/// The launcher that ships for T on this GPU.
template <class T, class OpRung>
auto shipped(std::span<const OpRung> ladder, std::string_view op, const ConvSize& size) {
  const bool products = sizeof(T) == 2 && simt::device().sm >= tensor_cores.least_sm;
  const Arithmetic arithmetic = products ? Arithmetic::tensor_cores : Arithmetic::fp32;
  const MapSize map{size.batch, size.height, size.width, size.in_channels};
  return shipped_rung<T>(ladder, op, arithmetic, map).launch.template get<T>();
}

}  // namespace

std::span<const ConvForwardRung> conv_forward_ladder() { return forward_ladder; }
std::span<const ConvDataGradientRung> conv_data_gradient_ladder() { return data_gradient_ladder; }

template <class T>
void conv_forward(T* y, const T* x, const T* weight, const float* bias, const ConvSize& size,
                  bool relu, Stream stream) {
  shipped<T>(conv_forward_ladder(), "conv_forward", size)(y, x, weight, bias, size, relu, stream);
}

template <class T>
void conv_data_gradient(T* grad_x, const T* grad_y, const T* rotated, const T* x,
                        const ConvSize& size, const GradientEpilogue& epilogue, Stream stream) {
  shipped<T>(conv_data_gradient_ladder(), "conv_data_gradient", size)(grad_x, grad_y, rotated, x,
                                                                      size, epilogue, stream);
}

template <class T>
bool conv_fits(const ConvSize& size) {
  return sizeof(T) == 2 && simt::device().sm >= tensor_cores.least_sm &&
         size.in_channels % conv_tile::slice == 0 && size.out_channels % conv_tile::columns == 0;
}

#define IMPASTO_CONV(T)                                                                            \
  template void conv_forward(T*, const T*, const T*, const float*, const ConvSize&, bool, Stream); \
  template void conv_data_gradient(T*, const T*, const T*, const T*, const ConvSize&,              \
                                   const GradientEpilogue&, Stream);                               \
  template bool conv_fits<T>(const ConvSize&);
IMPASTO_CONV(float)
IMPASTO_CONV(bfloat16)
IMPASTO_CONV(float16)
#undef IMPASTO_CONV

}  // namespace impasto::kernels::IMPASTO_DEVICE
