// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <type_traits>

#include "kernels/common/epilogue.hpp"
#include "kernels/pool/pool_windows.cuh"

namespace impasto::kernels::IMPASTO_DEVICE {

/// A thread takes a whole window and a pack of channels, so that the value of y and the place of
/// the maximum are found once instead of four times. Attacks the loads of rung 1.
///
/// The windows are those of rounding up, so that exactly one thread writes every cell of x. Windows
/// that y does not have get no gradient. `x` is the map, or the bits that say where it is positive.
template <class T, int width, PoolMode mode, class Epilogue, class X = T>
__global__ void __launch_bounds__(pool_threads)
    pool_backward_kernel(T* grad_x, const T* grad_y, const X* x, MapSize x_size, MapSize y_size) {
  constexpr bool reads_x = mode != PoolMode::average || Epilogue::reads_feature;
  const std::int64_t C = x_size.channels;
  const std::int64_t n = blockIdx.z;
  const auto one_item = [=](std::int64_t i, std::int64_t column, std::int64_t channel) {
    const std::int64_t corner =
        ((n * x_size.height + 2 * i) * x_size.width + 2 * column) * C + channel;
    const bool has_right = 2 * column + 1 < x_size.width;
    const bool has_below = 2 * i + 1 < x_size.height;
    const std::int64_t right = has_right ? C : 0;
    const std::int64_t below = has_below ? x_size.width * C : 0;
    // A cell outside the map reads its neighbour inside: never the first maximum, never written.
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
      if constexpr (reads_x && std::is_same_v<X, T>) {
        features[cell] = load_pack<width>(x + at[cell]);
      } else if constexpr (reads_x) {
        features[cell] = pack_of<T>(x[at[cell] / 8]);
      }
      if constexpr (Epilogue::reads_grad) results[cell] = load_pack<width>(grad_x + at[cell]);
    }
    const float share = (has_right ? 0.5F : 1.0F) * (has_below ? 0.5F : 1.0F);
#pragma unroll
    for (int k = 0; k < width; ++k) {
      const auto whole = static_cast<float>(grad.values[k]);
      int first_largest = 0;
      float slope = 0;
      if constexpr (mode == PoolMode::l2) {
        float squares = 0;
#pragma unroll
        for (int cell = 0; cell < 4; ++cell) {
          const auto value = static_cast<float>(features[cell].values[k]);
          squares += present[cell] ? value * value : 0.0F;
        }
        slope = squares == 0 ? 0.0F : whole / std::sqrt(squares);
      } else if constexpr (mode == PoolMode::max) {
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
        float part = 0;
        if constexpr (mode == PoolMode::average) {
          part = whole * share;
        } else if constexpr (mode == PoolMode::l2) {
          part = slope * static_cast<float>(features[cell].values[k]);
        } else {
          part = cell == first_largest ? whole : 0.0F;
        }
        Epilogue::join(&results[cell].values[k], part, &features[cell].values[k]);
      }
    }
#pragma unroll
    for (int cell = 0; cell < 4; ++cell) {
      if (present[cell]) store_pack<width>(grad_x + at[cell], results[cell]);
    }
  };
  for_each_window<width>((x_size.height + 1) / 2, (x_size.width + 1) / 2, C, one_item);
}

struct PoolBackwardWindow {
  template <class T>
  static void launch(T* grad_x, const T* grad_y, const T* x, const MapSize& x_size,
                     const PoolKind& kind, const GradientEpilogue& epilogue,
                     simt::StreamHandle stream) {
    const MapSize y_size = pooled(x_size, kind.rounding);
    constexpr int pack = widest<T>;
    const bool packed = can_pack<T>(pack, x_size.channels, {grad_x, grad_y, x});
    const simt::Grid grid =
        pool_grid("pool_backward", pooled(x_size, PoolRounding::up), packed ? pack : 1);
    with_epilogue(epilogue, [&]<class Epilogue>(Epilogue) {
      with_pool_mode(kind.mode, [&](auto mode) {
        simt::launch(packed ? pool_backward_kernel<T, pack, mode(), Epilogue>
                            : pool_backward_kernel<T, 1, mode(), Epilogue>,
                     grid, stream, grad_x, grad_y, x, x_size, y_size);
      });
    });
  }
};

}  // namespace impasto::kernels::IMPASTO_DEVICE
