// SPDX-License-Identifier: MIT
#include <array>
#include <cmath>

#include "kernels/common/larger.hpp"
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
template <class T, int width, PoolMode mode, bool notes>
__global__ void __launch_bounds__(pool_threads)
    pool_forward_kernel(T* y, unsigned char* positive, const T* x, MapSize x_size, MapSize y_size) {
  const std::int64_t C = x_size.channels;
  const std::int64_t n = blockIdx.z;
  const auto one_item = [=](std::int64_t i, std::int64_t column, std::int64_t channel) {
    const T* corner = x + ((n * x_size.height + 2 * i) * x_size.width + 2 * column) * C + channel;
    const std::int64_t right = 2 * column + 1 < x_size.width ? C : 0;
    const std::int64_t below = 2 * i + 1 < x_size.height ? x_size.width * C : 0;
    const Pack<T, width> cells[4] = {load_pack<width>(corner), load_pack<width>(corner + right),
                                     load_pack<width>(corner + below),
                                     load_pack<width>(corner + below + right)};
    if constexpr (notes) {
      unsigned char* bits = positive + (corner - x) / 8;
      const std::int64_t at[4] = {0, right, below, below + right};
#pragma unroll
      for (int cell = 0; cell < 4; ++cell) bits[at[cell] / 8] = positive_bits_of(cells[cell]);
    }
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
        result.values[k] = static_cast<T>(larger(larger(a, b), larger(d, e)));
      }
    }
    if (notes && (i >= y_size.height || column >= y_size.width)) return;
    store_pack<width>(y + ((n * y_size.height + i) * y_size.width + column) * C + channel, result);
  };
  if constexpr (notes) {
    for_each_window<width>((x_size.height + 1) / 2, (x_size.width + 1) / 2, C, one_item);
  } else {
    for_each_window<width>(y_size.height, y_size.width, C, one_item);
  }
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
    simt::launch(packed ? pool_forward_kernel<T, pack, mode(), false>
                        : pool_forward_kernel<T, 1, mode(), false>,
                 grid, stream, y, static_cast<unsigned char*>(nullptr), x, x_size, y_size);
  });
}

template <class T>
bool pool_notes(const T* y, const T* x, const MapSize& x_size, const PoolKind& kind) {
  return kind.mode == PoolMode::average && x_size.channels % 64 == 0 &&
         can_pack<T>(widest<T>, x_size.channels, {y, x});
}

template <class T>
void pool_forward_noting(T* y, unsigned char* positive, const T* x, const MapSize& x_size,
                         const PoolKind& kind, Stream stream) {
  const MapSize y_size = pooled(x_size, kind.rounding);
  // Cells that y drops get no gradient, but their bits are read.
  const simt::Grid grid = pool_grid("pool_forward", pooled(x_size, PoolRounding::up), widest<T>);
  simt::launch(pool_forward_kernel<T, widest<T>, PoolMode::average, true>, grid, stream, y,
               positive, x, x_size, y_size);
}

template <class T>
void pool_backward_noted(T* grad_x, const T* grad_y, const unsigned char* positive,
                         const MapSize& x_size, const PoolKind& kind, Stream stream) {
  const simt::Grid grid = pool_grid("pool_backward", pooled(x_size, PoolRounding::up), widest<T>);
  simt::launch(pool_backward_kernel<T, widest<T>, PoolMode::average, FixedEpilogue<false, true>,
                                    unsigned char>,
               grid, stream, grad_x, grad_y, positive, x_size, pooled(x_size, kind.rounding));
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

#define IMPASTO_POOL_NOTES(T)                                                                      \
  template bool pool_notes(const T*, const T*, const MapSize&, const PoolKind&);                   \
  template void pool_forward_noting(T*, unsigned char*, const T*, const MapSize&, const PoolKind&, \
                                    Stream);                                                       \
  template void pool_backward_noted(T*, const T*, const unsigned char*, const MapSize&,            \
                                    const PoolKind&, Stream);
IMPASTO_POOL_NOTES(bfloat16)
IMPASTO_POOL_NOTES(float16)
#undef IMPASTO_POOL_NOTES

}  // namespace impasto::kernels::IMPASTO_DEVICE
