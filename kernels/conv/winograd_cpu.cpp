// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>

#include "kernels/conv/winograd.hpp"

namespace impasto::kernels::cpu {
namespace {

/// Channels that are computed together: one vector register of AVX-512, two of AVX2.
constexpr std::int64_t lanes = 16;
using Lanes = std::array<float, lanes>;

/// Where a tile lies.
struct Tile {
  std::int64_t image;
  std::int64_t top;
  std::int64_t left;
};

Tile tile_at(std::int64_t index, const MapSize& size) {
  const std::int64_t across = winograd_tiles(size.width);
  const std::int64_t per_image = winograd_tiles(size.height) * across;
  const std::int64_t within = index % per_image;
  return {index / per_image, within / across * winograd_tile, within % across * winograd_tile};
}

/// One row or column of Bᵀ·d: six values in, six out.
inline void input_transform(std::array<Lanes, 6>& out, const std::array<const Lanes*, 6>& in) {
#pragma omp simd
  for (std::size_t l = 0; l < lanes; ++l) {
    const float d0 = (*in[0])[l];
    const float d1 = (*in[1])[l];
    const float d2 = (*in[2])[l];
    const float d3 = (*in[3])[l];
    const float d4 = (*in[4])[l];
    const float d5 = (*in[5])[l];
    out[0][l] = 4 * d0 - 5 * d2 + d4;
    out[1][l] = (d4 - 4 * d2) + (d3 - 4 * d1);
    out[2][l] = (d4 - 4 * d2) - (d3 - 4 * d1);
    out[3][l] = (d4 - d2) + 2 * (d3 - d1);
    out[4][l] = (d4 - d2) - 2 * (d3 - d1);
    out[5][l] = 4 * d1 - 5 * d3 + d5;
  }
}

/// One row or column of Aᵀ·m: six values in, four out.
inline void output_transform(std::array<Lanes, 4>& out, const std::array<const Lanes*, 6>& in) {
#pragma omp simd
  for (std::size_t l = 0; l < lanes; ++l) {
    const float sum12 = (*in[1])[l] + (*in[2])[l];
    const float difference12 = (*in[1])[l] - (*in[2])[l];
    const float sum34 = (*in[3])[l] + (*in[4])[l];
    const float difference34 = (*in[3])[l] - (*in[4])[l];
    out[0][l] = (*in[0])[l] + sum12 + sum34;
    out[1][l] = difference12 + 2 * difference34;
    out[2][l] = sum12 + 4 * sum34;
    out[3][l] = difference12 + 8 * difference34 + (*in[5])[l];
  }
}

/// One row or column of G·g: three values in, six out.
inline void filter_transform(std::array<Lanes, 6>& out, const std::array<const Lanes*, 3>& in) {
#pragma omp simd
  for (std::size_t l = 0; l < lanes; ++l) {
    const float g0 = (*in[0])[l];
    const float g1 = (*in[1])[l];
    const float g2 = (*in[2])[l];
    // Products with rounded reciprocals: a vector division takes as long as sixteen of them.
    out[0][l] = g0 * (1.0F / 4);
    out[1][l] = (g0 + g2 + g1) * (-1.0F / 6);
    out[2][l] = (g0 + g2 - g1) * (-1.0F / 6);
    out[3][l] = (g0 + 4 * g2 + 2 * g1) * (1.0F / 24);
    out[4][l] = (g0 + 4 * g2 - 2 * g1) * (1.0F / 24);
    out[5][l] = g2;
  }
}

template <class T>
void load(Lanes& to, const T* from, std::int64_t count) {
  if (count == lanes) {  // a count the compiler knows is one register, not a loop
#pragma omp simd
    for (std::size_t l = 0; l < lanes; ++l) to[l] = static_cast<float>(from[l]);
    return;
  }
  to.fill(0);
  for (std::int64_t l = 0; l < count; ++l) {
    to[static_cast<std::size_t>(l)] = static_cast<float>(from[l]);
  }
}

void put(float* to, const Lanes& from, std::int64_t count) {
  if (count == lanes) {
    std::copy_n(from.begin(), lanes, to);
  } else {
    std::copy_n(from.begin(), count, to);
  }
}

/// The 6×6 patch under one tile, for the channels [channel, channel + count).
void load_patch(std::array<std::array<Lanes, 6>, 6>& patch, const bfloat16* x, const MapSize& size,
                const Tile& tile, std::int64_t channel, std::int64_t count) {
  for (std::int64_t r = 0; r < 6; ++r) {
    for (std::int64_t s = 0; s < 6; ++s) {
      const std::int64_t h = tile.top + r - 1;
      const std::int64_t w = tile.left + s - 1;
      Lanes& to = patch[static_cast<std::size_t>(r)][static_cast<std::size_t>(s)];
      if (h < 0 || h >= size.height || w < 0 || w >= size.width) {
        to.fill(0);
      } else {
        const std::int64_t pixel = (tile.image * size.height + h) * size.width + w;
        load(to, x + pixel * size.channels + channel, count);
      }
    }
  }
}

/// Stores up to 16 channels of one pixel; the pointers point to those channels.
void finish(bfloat16* y, const Lanes& values, std::int64_t count, const float* bias,
            const bfloat16* mask, const WinogradEpilogue& epilogue) {
  Lanes sum = values;
  Lanes other;
  if (bias != nullptr) {
    load(other, bias, count);
#pragma omp simd
    for (std::size_t l = 0; l < lanes; ++l) sum[l] += other[l];
  }
  if (epilogue.relu) {
#pragma omp simd
    for (std::size_t l = 0; l < lanes; ++l) sum[l] = sum[l] < 0 ? 0 : sum[l];
  }
  if (epilogue.accumulate) {
    load(other, y, count);
#pragma omp simd
    for (std::size_t l = 0; l < lanes; ++l) sum[l] += other[l];
  }
  if (mask != nullptr) {
    load(other, mask, count);
#pragma omp simd
    for (std::size_t l = 0; l < lanes; ++l) sum[l] = other[l] > 0 ? sum[l] : 0;
  }
  if (count == lanes) {
#pragma omp simd
    for (std::size_t l = 0; l < lanes; ++l) kernels::store(y + l, sum[l]);
    return;
  }
  for (std::int64_t l = 0; l < count; ++l) {
    kernels::store(y + l, sum[static_cast<std::size_t>(l)]);
  }
}

}  // namespace

void winograd_filters(float* u, const bfloat16* filters, std::int64_t in_channels,
                      std::int64_t out_channels, const ChannelRange& range) {
#pragma omp parallel for schedule(static)
  for (std::int64_t c = 0; c < in_channels; ++c) {
    for (std::int64_t k = 0; k < range.count; k += lanes) {
      const std::int64_t width = std::min(lanes, range.count - k);
      std::array<std::array<Lanes, 3>, 3> taps;
      for (std::int64_t tap = 0; tap < 9; ++tap) {
        load(taps[static_cast<std::size_t>(tap / 3)][static_cast<std::size_t>(tap % 3)],
             filters + (c * 9 + tap) * out_channels + range.first + k, width);
      }
      std::array<std::array<Lanes, 3>, 6> columns;  // [i][s]: G·g
      for (std::size_t s = 0; s < 3; ++s) {
        std::array<Lanes, 6> column;
        filter_transform(column, {&taps[0][s], &taps[1][s], &taps[2][s]});
        for (std::size_t i = 0; i < 6; ++i) columns[i][s] = column[i];
      }
      for (std::size_t i = 0; i < 6; ++i) {
        std::array<Lanes, 6> row;
        filter_transform(row, {&columns[i][0], &columns[i][1], &columns[i][2]});
        for (std::size_t j = 0; j < 6; ++j) {
          const auto position = static_cast<std::int64_t>(6 * i + j);
          put(u + (position * in_channels + c) * range.count + k, row[j], width);
        }
      }
    }
  }
}

void winograd_input(float* v, const bfloat16* x, const MapSize& size, std::int64_t first,
                    std::int64_t tiles) {
  const std::int64_t channels = size.channels;
#pragma omp parallel for schedule(static)
  for (std::int64_t t = 0; t < tiles; ++t) {
    const Tile tile = tile_at(first + t, size);
    for (std::int64_t channel = 0; channel < channels; channel += lanes) {
      const std::int64_t width = std::min(lanes, channels - channel);
      std::array<std::array<Lanes, 6>, 6> patch;
      std::array<std::array<Lanes, 6>, 6> columns;  // [s][i]: Bᵀ·d, transposed
      load_patch(patch, x, size, tile, channel, width);
      for (std::size_t s = 0; s < 6; ++s) {
        input_transform(columns[s], {&patch[0][s], &patch[1][s], &patch[2][s], &patch[3][s],
                                     &patch[4][s], &patch[5][s]});
      }
      for (std::size_t i = 0; i < 6; ++i) {
        std::array<Lanes, 6> row;
        input_transform(row, {&columns[0][i], &columns[1][i], &columns[2][i], &columns[3][i],
                              &columns[4][i], &columns[5][i]});
        for (std::size_t j = 0; j < 6; ++j) {
          const auto position = static_cast<std::int64_t>(6 * i + j);
          put(v + (position * tiles + t) * channels + channel, row[j], width);
        }
      }
    }
  }
}

void winograd_output(bfloat16* y, const float* m, const MapSize& size, std::int64_t first,
                     std::int64_t tiles, const ChannelRange& range,
                     const WinogradEpilogue& epilogue) {
#pragma omp parallel for schedule(static)
  for (std::int64_t t = 0; t < tiles; ++t) {
    const Tile tile = tile_at(first + t, size);
    const std::int64_t rows = std::min(winograd_tile, size.height - tile.top);
    const std::int64_t columns = std::min(winograd_tile, size.width - tile.left);
    for (std::int64_t k = 0; k < range.count; k += lanes) {
      const std::int64_t width = std::min(lanes, range.count - k);
      const std::int64_t channel = range.first + k;
      std::array<std::array<Lanes, 4>, 6> half;  // [j][r]: Aᵀ·m, transposed
      for (std::size_t j = 0; j < 6; ++j) {
        std::array<Lanes, 6> column;
        for (std::size_t i = 0; i < 6; ++i) {
          const auto position = static_cast<std::int64_t>(6 * i + j);
          load(column[i], m + (position * tiles + t) * range.count + k, width);
        }
        output_transform(half[j],
                         {&column[0], &column[1], &column[2], &column[3], &column[4], &column[5]});
      }
      for (std::int64_t r = 0; r < rows; ++r) {
        const auto i = static_cast<std::size_t>(r);
        std::array<Lanes, 4> row;
        output_transform(
            row, {&half[0][i], &half[1][i], &half[2][i], &half[3][i], &half[4][i], &half[5][i]});
        for (std::int64_t s = 0; s < columns; ++s) {
          const std::int64_t pixel =
              (tile.image * size.height + tile.top + r) * size.width + tile.left + s;
          const std::int64_t at = pixel * size.channels + channel;
          finish(y + at, row[static_cast<std::size_t>(s)], width,
                 epilogue.bias != nullptr ? epilogue.bias + channel : nullptr,
                 epilogue.mask != nullptr ? epilogue.mask + at : nullptr, epilogue);
        }
      }
    }
  }
}

}  // namespace impasto::kernels::cpu
