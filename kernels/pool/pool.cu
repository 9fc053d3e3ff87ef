// SPDX-License-Identifier: MIT
#include <array>
#include <cmath>

#include "kernels/common/tuning.hpp"
#include "kernels/pool/pool.hpp"
#include "kernels/pool/pool_windows.cuh"
#include "kernels/pool/rung_1_naive.cuh"
#include "kernels/pool/rung_2_window.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {
namespace {

constexpr std::array ladder = {
    PoolBackwardRung::of<PoolBackwardNaive>(
        {.name = "rung_1_naive", .idea = "a thread for each value"}),
    PoolBackwardRung::of<PoolBackwardWindow>(
        {.name = "rung_2_window", .idea = "a window and 16 bytes of channels", .ships = true}),
};

/// For a cell outside the map its neighbour inside is read again: that changes no maximum, and
/// (a + a) + (c + c) is exactly 2·(a + c), so that a quarter of it is the average of the two cells.
/// Of squares it is left out.
template <class T, int width, PoolMode mode>
__global__ void __launch_bounds__(pool_threads)
    pool_forward_kernel(T* y, const T* x, MapSize x_size, MapSize y_size) {
  const std::int64_t C = x_size.channels;
  const std::int64_t n = blockIdx.z;
  const auto one_item = [=](std::int64_t i, std::int64_t column, std::int64_t channel) {
    const T* corner = x + ((n * x_size.height + 2 * i) * x_size.width + 2 * column) * C + channel;
    const std::int64_t right = 2 * column + 1 < x_size.width ? C : 0;
    const std::int64_t below = 2 * i + 1 < x_size.height ? x_size.width * C : 0;
    const Pack<T, width> cells[4] = {load_pack<width>(corner), load_pack<width>(corner + right),
                                     load_pack<width>(corner + below),
                                     load_pack<width>(corner + below + right)};
    Pack<T, width> result;
#pragma unroll
    for (int k = 0; k < width; ++k) {
      const auto a = static_cast<float>(cells[0].values[k]);
      const auto b = static_cast<float>(cells[1].values[k]);
      const auto d = static_cast<float>(cells[2].values[k]);
      const auto e = static_cast<float>(cells[3].values[k]);
      if constexpr (mode == PoolMode::average) {
        result.values[k] = static_cast<T>(((a + b) + (d + e)) * 0.25F);
      } else if constexpr (mode == PoolMode::l2) {
        const float upper = a * a + (right > 0 ? b * b : 0.0F);
        const float lower = d * d + (right > 0 ? e * e : 0.0F);
        result.values[k] = static_cast<T>(std::sqrt(upper + (below > 0 ? lower : 0.0F)));
      } else {
        const float upper = a < b ? b : a;
        const float lower = d < e ? e : d;
        result.values[k] = static_cast<T>(upper < lower ? lower : upper);
      }
    }
    store_pack<width>(y + ((n * y_size.height + i) * y_size.width + column) * C + channel, result);
  };
  for_each_window<width>(y_size.height, y_size.width, C, one_item);
}

}  // namespace

std::span<const PoolBackwardRung> pool_backward_ladder() { return ladder; }

template <class T>
void pool_forward(T* y, const T* x, const MapSize& x_size, const PoolKind& kind, Stream stream) {
  const MapSize y_size = pooled(x_size, kind.rounding);
  constexpr int pack = widest<T>;
  const bool packed = can_pack<T>(pack, x_size.channels, {y, x});
  const simt::Grid grid = pool_grid("pool_forward", y_size, packed ? pack : 1);
  with_pool_mode(kind.mode, [&](auto mode) {
    simt::launch(packed ? pool_forward_kernel<T, pack, mode()> : pool_forward_kernel<T, 1, mode()>,
                 grid, stream, y, x, x_size, y_size);
  });
}

template <class T>
void pool_backward(T* grad_x, const T* grad_y, const T* x, const MapSize& x_size,
                   const PoolKind& kind, const GradientEpilogue& epilogue, Stream stream) {
  const PoolBackwardRung& rung =
      shipped_rung<T>(pool_backward_ladder(), "pool_backward", Arithmetic::fp32, x_size);
  rung.launch.template get<T>()(grad_x, grad_y, x, x_size, kind, epilogue, stream);
}

#define IMPASTO_POOL(T)                                                                \
  template void pool_forward(T*, const T*, const MapSize&, const PoolKind&, Stream);   \
  template void pool_backward(T*, const T*, const T*, const MapSize&, const PoolKind&, \
                              const GradientEpilogue&, Stream);
IMPASTO_POOL(float)
IMPASTO_POOL(bfloat16)
IMPASTO_POOL(float16)
#undef IMPASTO_POOL

}  // namespace impasto::kernels::IMPASTO_DEVICE
