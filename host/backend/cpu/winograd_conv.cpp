// SPDX-License-Identifier: MIT
#include "host/backend/cpu/winograd_conv.hpp"

namespace impasto::cpu {
namespace {

template <class T>
T* reserve(Scratchpad& memory, std::int64_t values) {
  return static_cast<T*>(memory.reserve(static_cast<std::size_t>(values) * sizeof(T)));
}

}  // namespace

template <class T>
WinogradConv<T>::WinogradConv(kernels::cpu::Simd simd, const ConvParameters& parameters)
    : simd_(simd),
      in_channels_(parameters.in_channels),
      out_channels_(parameters.out_channels),
      filters_(reserve<T>(filter_memory_, 9 * in_channels_ * out_channels_)),
      bias_(parameters.bias) {
  kernels::cpu::pack_winograd_filters(filters_, parameters.weight.data(), in_channels_,
                                      out_channels_);
}

template <class T>
void WinogradConv<T>::forward(OneDnn& onednn, const Tensor& y, const Tensor& x, bool relu) {
  convolve(onednn.scratchpad, y, x, filters_, {.bias = bias_.data(), .relu = relu});
}

template <class T>
void WinogradConv<T>::data_gradient(OneDnn& onednn, const Tensor& grad_x, const Tensor& grad_y,
                                    const Tensor& x, const GradientEpilogue& epilogue) {
  std::call_once(rotate_, [this] {
    rotated_ = reserve<T>(rotated_memory_, 9 * in_channels_ * out_channels_);
    kernels::cpu::rotate_winograd_filters(rotated_, filters_, in_channels_, out_channels_);
  });
  convolve(onednn.scratchpad, grad_x, grad_y, rotated_,
           {.accumulate = epilogue.accumulate, .mask = epilogue.relu_mask ? x.as<T>() : nullptr});
}

template <class T>
void WinogradConv<T>::convolve(Scratchpad& scratchpad, const Tensor& out, const Tensor& in,
                               const T* filters,
                               const kernels::cpu::WinogradEpilogue<T>& epilogue) {
  const Shape& from = in.shape;
  const int threads = OneDnn::threads();
  auto* workspace =
      reserve<float>(scratchpad, threads * kernels::cpu::winograd_workspace(from.channels));
  kernels::cpu::winograd<T>(
      {out.as<T>(),
       in.as<T>(),
       filters,
       {from.batch, from.height, from.width, from.channels, out.shape.channels},
       epilogue},
      simd_, workspace, threads);
}

template class WinogradConv<float>;
template class WinogradConv<kernels::bfloat16>;

}  // namespace impasto::cpu
