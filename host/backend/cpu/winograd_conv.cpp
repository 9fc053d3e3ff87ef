// SPDX-License-Identifier: MIT
#include "host/backend/cpu/winograd_conv.hpp"

#include <algorithm>

namespace impasto::cpu {
namespace {

using kernels::bfloat16;
using kernels::cpu::ChannelRange;
using kernels::cpu::winograd_positions;

/// Output channels per slice: 36·Cin·64 transformed filters of 512 channels are 4.5 MiB.
constexpr std::int64_t slice_channels = 64;

/// Tiles per product: as many as fit into 4 MiB of transformed input, but at least 256. With fewer
/// the transformed filters would be used too rarely to be worth their cost.
std::int64_t block_tiles(std::int64_t channels) {
  constexpr std::int64_t input_values = std::int64_t{1} << 20U;
  return std::max<std::int64_t>(256, input_values / (winograd_positions * channels));
}

float* grown(std::vector<float>& memory, std::int64_t values) {
  memory.resize(std::max(memory.size(), static_cast<std::size_t>(values)));
  return memory.data();
}

}  // namespace

WinogradConv::WinogradConv(Matmul& matmul, WinogradWorkspace& workspace,
                           const ConvParameters& parameters)
    : matmul_(matmul),
      workspace_(workspace),
      filters_(parameters.weight.size()),
      rotated_(parameters.weight.size()),
      bias_(parameters.bias) {
  const std::int64_t in = parameters.in_channels;
  const std::int64_t out = parameters.out_channels;
  for (std::int64_t k = 0; k < out; ++k) {
    for (std::int64_t tap = 0; tap < 9; ++tap) {
      for (std::int64_t c = 0; c < in; ++c) {
        const auto from = static_cast<std::size_t>((k * 9 + tap) * in + c);
        const bfloat16 value(parameters.weight[from]);
        filters_[static_cast<std::size_t>((c * 9 + tap) * out + k)] = value;
        rotated_[static_cast<std::size_t>((k * 9 + 8 - tap) * in + c)] = value;
      }
    }
  }
}

void WinogradConv::forward(const Tensor& y, const Tensor& x, bool relu) {
  convolve(y, x, filters_, {.bias = bias_.data(), .relu = relu});
}

void WinogradConv::data_gradient(const Tensor& grad_x, const Tensor& grad_y, const Tensor& x,
                                 const GradientEpilogue& epilogue) {
  convolve(
      grad_x, grad_y, rotated_,
      {.accumulate = epilogue.accumulate, .mask = epilogue.relu_mask ? x.as<bfloat16>() : nullptr});
}

void WinogradConv::convolve(const Tensor& out, const Tensor& in,
                            const std::vector<bfloat16>& filters,
                            const kernels::cpu::WinogradEpilogue& epilogue) {
  const std::int64_t in_channels = in.shape.channels;
  const std::int64_t out_channels = out.shape.channels;
  const std::int64_t all = in.shape.batch * kernels::cpu::winograd_tiles(in.shape.height) *
                           kernels::cpu::winograd_tiles(in.shape.width);
  const std::int64_t block = std::min(all, block_tiles(in_channels));
  const std::int64_t slice = std::min(out_channels, slice_channels);
  float* u = grown(workspace_.filters, winograd_positions * in_channels * slice);
  float* v = grown(workspace_.input, winograd_positions * block * in_channels);
  float* m = grown(workspace_.output, winograd_positions * block * slice);

  for (std::int64_t first = 0; first < all; first += block) {
    const std::int64_t tiles = std::min(block, all - first);
    kernels::cpu::winograd_input(v, in.as<bfloat16>(), in.shape, first, tiles);
    for (std::int64_t channel = 0; channel < out_channels; channel += slice) {
      const ChannelRange range{channel, std::min(slice, out_channels - channel)};
      // With a single slice the transformed filters serve every block.
      if (first == 0 || slice < out_channels) {
        kernels::cpu::winograd_filters(u, filters.data(), in_channels, out_channels, range);
      }
      matmul_({m, DataType::f32, winograd_positions, tiles, range.count},
              {v, DataType::f32, winograd_positions, tiles, in_channels},
              {u, DataType::f32, winograd_positions, in_channels, range.count}, false);
      kernels::cpu::winograd_output(out.as<bfloat16>(), m, out.shape, first, tiles, range,
                                    epilogue);
    }
  }
}

}  // namespace impasto::cpu
