// SPDX-License-Identifier: MIT
#include <algorithm>

#include "kernels/common/bfloat16.hpp"
#include "kernels/common/epilogue.hpp"
#include "kernels/common/float16.hpp"
#include "kernels/common/pack.cuh"
#include "kernels/pool/pool.hpp"
#include "simt/launch.hpp"

// One thread takes one window and a pack of 16 bytes of its channels: neighbouring threads read
// neighbouring packs, so that every load of a warp is 512 bytes in a row, or few such rows. A block
// takes 256 such items of one row of windows. Rows lie along blockIdx.y and images along z, which
// leaves one 32-bit division per item where a flat index would need three of 64. Bound by memory:
// every value is moved once, a window needs at most 4 additions or comparisons.
namespace impasto::kernels::IMPASTO_DEVICE {
namespace {

constexpr int threads = 256;
constexpr std::int64_t most_rows = 65535;  // of a grid

/// Calls body(row, column, channel) for this thread's windows among `rows` × `columns`.
template <int width, class Body>
__device__ __forceinline__ void for_each_item(std::int64_t rows, std::int64_t columns,
                                              std::int64_t channels, Body body) {
  const auto packs = static_cast<unsigned>(channels / width);
  const unsigned item = blockIdx.x * threads + threadIdx.x;
  if (item >= static_cast<unsigned>(columns) * packs) return;
  for (std::int64_t row = blockIdx.y; row < rows; row += gridDim.y) {
    body(row, std::int64_t{item / packs}, std::int64_t{item % packs} * width);
  }
}

/// The grid for as many windows as `windows` has pixels, in packs of `width` channels.
simt::Grid grid_for(const char* name, const MapSize& windows, int width) {
  const std::int64_t items = windows.width * windows.channels / width;
  const std::int64_t blocks = std::max<std::int64_t>(1, (items + threads - 1) / threads);
  const std::int64_t rows = std::clamp<std::int64_t>(windows.height, 1, most_rows);
  return {name,
          {static_cast<unsigned>(blocks), static_cast<unsigned>(rows),
           static_cast<unsigned>(windows.batch)},
          {threads}};
}

/// A missing cell is read from its neighbour inside: twice the same value changes no maximum, and
/// (a + a) + (c + c) is exactly 2·(a + c), so a quarter of it is the average of the cells there
/// are.
template <class T, int width, PoolMode mode>
__global__ void __launch_bounds__(threads)
    forward_kernel(T* y, const T* x, MapSize x_size, MapSize y_size) {
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
      } else {
        const float upper = a < b ? b : a;
        const float lower = d < e ? e : d;
        result.values[k] = static_cast<T>(upper < lower ? lower : upper);
      }
    }
    store_pack<width>(y + ((n * y_size.height + i) * y_size.width + column) * C + channel, result);
  };
  for_each_item<width>(y_size.height, y_size.width, C, one_item);
}

/// The windows are those of rounding up, so that every cell of x is written by exactly one thread;
/// those that y lacks have no gradient.
template <class T, int width, PoolMode mode, class Epilogue>
__global__ void __launch_bounds__(threads)
    backward_kernel(T* grad_x, const T* grad_y, const T* x, MapSize x_size, MapSize y_size) {
  constexpr bool reads_x = mode == PoolMode::max || Epilogue::reads_feature;
  const std::int64_t C = x_size.channels;
  const std::int64_t n = blockIdx.z;
  const auto one_item = [=](std::int64_t i, std::int64_t column, std::int64_t channel) {
    const std::int64_t corner =
        ((n * x_size.height + 2 * i) * x_size.width + 2 * column) * C + channel;
    const bool has_right = 2 * column + 1 < x_size.width;
    const bool has_below = 2 * i + 1 < x_size.height;
    const std::int64_t right = has_right ? C : 0;
    const std::int64_t below = has_below ? x_size.width * C : 0;
    // A missing cell is its neighbour inside once more: never the first maximum, never written.
    const std::int64_t at[4] = {corner, corner + right, corner + below, corner + below + right};
    const bool present[4] = {true, has_right, has_below, has_right && has_below};
    const bool pooled = i < y_size.height && column < y_size.width;

    Pack<T, width> grad{};
    if (pooled) {
      const std::int64_t y_pixel = (n * y_size.height + i) * y_size.width + column;
      grad = load_pack<width>(grad_y + y_pixel * C + channel);
    }
    Pack<T, width> features[4];
    Pack<T, width> results[4];
#pragma unroll
    for (int cell = 0; cell < 4; ++cell) {
      if constexpr (reads_x) features[cell] = load_pack<width>(x + at[cell]);
      if constexpr (Epilogue::reads_grad) results[cell] = load_pack<width>(grad_x + at[cell]);
    }
    const float share = (has_right ? 0.5F : 1.0F) * (has_below ? 0.5F : 1.0F);
#pragma unroll
    for (int k = 0; k < width; ++k) {
      const auto whole = static_cast<float>(grad.values[k]);
      int first_largest = 0;
      if constexpr (mode == PoolMode::max) {
        auto largest = static_cast<float>(features[0].values[k]);
#pragma unroll
        for (int cell = 1; cell < 4; ++cell) {
          const auto value = static_cast<float>(features[cell].values[k]);
          first_largest = value > largest ? cell : first_largest;
          largest = value > largest ? value : largest;
        }
      }
#pragma unroll
      for (int cell = 0; cell < 4; ++cell) {
        const float part =
            mode == PoolMode::average ? whole * share : (cell == first_largest ? whole : 0.0F);
        Epilogue::join(&results[cell].values[k], part, &features[cell].values[k]);
      }
    }
#pragma unroll
    for (int cell = 0; cell < 4; ++cell) {
      if (present[cell]) store_pack<width>(grad_x + at[cell], results[cell]);
    }
  };
  for_each_item<width>((x_size.height + 1) / 2, (x_size.width + 1) / 2, C, one_item);
}

}  // namespace

template <class T>
void pool_forward(T* y, const T* x, const MapSize& x_size, const PoolKind& kind, Stream stream) {
  const MapSize y_size = pooled(x_size, kind.rounding);
  const auto run = [&](auto average, auto max, int width) {
    const simt::Grid grid = grid_for("pool_forward", y_size, width);
    simt::launch(kind.mode == PoolMode::average ? average : max, grid, stream, y, x, x_size,
                 y_size);
  };
  constexpr int pack = widest<T>;
  if (can_pack<T>(pack, x_size.channels, {y, x})) {
    run(forward_kernel<T, pack, PoolMode::average>, forward_kernel<T, pack, PoolMode::max>, pack);
  } else {
    run(forward_kernel<T, 1, PoolMode::average>, forward_kernel<T, 1, PoolMode::max>, 1);
  }
}

template <class T>
void pool_backward(T* grad_x, const T* grad_y, const T* x, const MapSize& x_size,
                   const PoolKind& kind, const GradientEpilogue& epilogue, Stream stream) {
  const MapSize y_size = pooled(x_size, kind.rounding);
  const auto run = [&](auto average, auto max, int width) {
    const simt::Grid grid = grid_for("pool_backward", pooled(x_size, PoolRounding::up), width);
    simt::launch(kind.mode == PoolMode::average ? average : max, grid, stream, grad_x, grad_y, x,
                 x_size, y_size);
  };
  constexpr int pack = widest<T>;
  const bool packed = can_pack<T>(pack, x_size.channels, {grad_x, grad_y, x});
  with_epilogue(epilogue, [&]<class Epilogue>(Epilogue) {
    if (packed) {
      run(backward_kernel<T, pack, PoolMode::average, Epilogue>,
          backward_kernel<T, pack, PoolMode::max, Epilogue>, pack);
    } else {
      run(backward_kernel<T, 1, PoolMode::average, Epilogue>,
          backward_kernel<T, 1, PoolMode::max, Epilogue>, 1);
    }
  });
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
