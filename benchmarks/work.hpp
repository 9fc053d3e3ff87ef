// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>

#include "host/core/tensor.hpp"
#include "kernels/common/blocks.hpp"
#include "kernels/gram/gram_plan.hpp"
#include "kernels/pool/pool.hpp"
#include "kernels/total_variation/total_variation.hpp"

namespace impasto::work {

using kernels::GradientEpilogue;
using kernels::PoolKind;

/// What an operation has to do at least, whoever does it: floating-point operations, and bytes read
/// and written once each. A rate measured against it is comparable between implementations, and
/// between an implementation and the machine's ceilings (ceilings_bench). The contracts in
/// kernels/<op>/<op>.hpp state the same costs in words; these are the only formulas.
struct Work {
  double flops = 0;
  double bytes = 0;

  Work& operator+=(const Work& other) {
    flops += other.flops;
    bytes += other.bytes;
    return *this;
  }
};

inline double values(const Shape& shape) { return static_cast<double>(shape.count()); }
inline double width(DataType type) {
  return type == DataType::f64 || type == DataType::i64 ? 8 : type == DataType::f32 ? 4 : 2;
}

/// The values of a C×C matrix for each image.
inline double matrices(const Shape& features) {
  return static_cast<double>(features.batch * features.channels * features.channels);
}

/// What an epilogue reads besides: the gradient it adds to, the features it masks by.
inline double extra_reads(const GradientEpilogue& epilogue) {
  return (epilogue.accumulate ? 1 : 0) + (epilogue.relu_mask ? 1 : 0);
}

/// A 3×3 convolution from x to y; its data gradient is one from y to x.
inline Work conv(const Shape& x, const Shape& y, DataType type) {
  const double filters = 9.0 * static_cast<double>(x.channels * y.channels);
  return {.flops = 2 * filters * values(y) / static_cast<double>(y.channels),
          .bytes = width(type) * (values(x) + values(y) + filters)};
}

inline Work pool_forward(const Shape& x, const Shape& y, DataType type) {
  return {.flops = values(x), .bytes = width(type) * (values(x) + values(y))};
}

/// The maximum has to be found again; an average needs x for the mask alone.
inline Work pool_backward(const Shape& x, const Shape& y, DataType type, const PoolKind& kind,
                          const GradientEpilogue& epilogue) {
  const bool reads_x = kind.mode == kernels::PoolMode::max || epilogue.relu_mask;
  const double of_x = 1 + (reads_x ? 1 : 0) + (epilogue.accumulate ? 1 : 0);
  return {.flops = values(x), .bytes = width(type) * (of_x * values(x) + values(y))};
}

/// Without the symmetry, which no library product uses.
inline Work gram(const Shape& features, DataType type) {
  const double square = matrices(features);
  return {.flops = 2 * static_cast<double>(features.channels) * values(features),
          .bytes = width(type) * values(features) + 4 * square};
}

/// The target is the batch's.
inline Work style_loss(std::int64_t channels, std::int64_t batch = 1) {
  const auto square = static_cast<double>(channels * channels);
  const auto N = static_cast<double>(batch);
  return {.flops = 4 * square * N, .bytes = (8 * N + 4) * square};
}

inline Work style_backward(const Shape& features, DataType type, const GradientEpilogue& epilogue) {
  const double square = matrices(features);
  const double moved = 2 + (epilogue.accumulate ? 1 : 0);  // the mask's features are read anyway
  return {.flops = 2 * static_cast<double>(features.channels) * values(features),
          .bytes = width(type) * moved * values(features) + 4 * square};
}

inline Work content_loss(const Shape& features, DataType type, const GradientEpilogue& epilogue) {
  const double moved = 3 + (epilogue.accumulate ? 1 : 0);
  return {.flops = 5 * values(features), .bytes = width(type) * moved * values(features)};
}

/// Three channels to as many as y has, pixels in float; and back.
inline Work first_conv(const Shape& y, DataType type) {
  const double pixels = values(y) / static_cast<double>(y.channels);
  const double weights = 27.0 * static_cast<double>(y.channels);
  return {.flops = 2 * weights * pixels,
          .bytes = 12 * pixels + width(type) * values(y) + 4 * weights};
}

/// A Gram matrix's loss and M without the matrix having been written or read: the fusion of the
/// two.
inline Work gram_loss(const Shape& features, DataType type) {
  const Work product = gram(features, type);
  const Work loss = style_loss(features.channels, features.batch);
  const double between = 8 * matrices(features);
  return {.flops = product.flops + loss.flops, .bytes = product.bytes + loss.bytes - between};
}

inline Work relu_mask(const Shape& features, DataType type) {
  return {.flops = 0, .bytes = width(type) * 3 * values(features)};
}

inline Work preprocess(const Shape& pixels, DataType type) {
  return {.flops = values(pixels), .bytes = (4 + width(type)) * values(pixels)};
}

/// To eight channels, for a convolution that takes whole vectors of them.
inline Work preprocess_padded(const Shape& pixels, DataType type) {
  return {.flops = values(pixels), .bytes = (12 + 8 * width(type)) * values(pixels) / 3};
}

inline Work total_variation(const Shape& pixels) {
  return {.flops = 11 * values(pixels), .bytes = 12 * values(pixels)};
}

inline Work adam(const Shape& pixels) {
  return {.flops = 12 * values(pixels), .bytes = 28 * values(pixels)};
}

// What a rung asks of global memory: every request of its warps, with no cache in between, as the
// host-SIMT machine counts it. A rung that is not named asks for no more than the operation has to
// move; one that does says so here, or its test fails. Sizes fill whole tiles.

struct Traffic {
  double loaded = 0;
  double stored = 0;
};

inline Traffic gram_traffic(std::string_view rung, const Shape& features, DataType type) {
  const double map = width(type) * values(features);
  const auto C = static_cast<double>(features.channels);
  const auto batch = static_cast<double>(features.batch);
  const double matrix = 4 * C * C * batch;
  if (rung == "rung_1_naive") return {2 * C * map, matrix};
  if (rung == "rung_2_coalesced") return {C * map * 33 / 32, matrix};  // 32 of j and one of i
  if (rung == "rung_3_shared_tile") return {2 * C / 32 * map, matrix};
  if (rung == "rung_4_register_tile") return {2 * C / 64 * map, matrix};
  if (rung == "rung_5_upper_triangle") return {(C / 64 + 1) * map, matrix};
  constexpr std::array<std::string_view, 5> two_stages = {
      "rung_6_split_pixels", "rung_7_tensor_cores", "rung_8_tensor_cores_split",
      "rung_9_persistent", "rung_10_wgmma"};
  if (std::find(two_stages.begin(), two_stages.end(), rung) == two_stages.end()) {
    return {map, matrix};
  }
  using Plan = kernels::GramPlan;
  const Plan plan(features, rung == two_stages[1] ? Plan::one_split : Plan::enough_splits);
  const double partials = 4 * batch * static_cast<double>(plan.partials);
  return {C / plan.tile * map + partials, partials + matrix};  // diagonal tiles load one factor
}

/// Of a Gram matrix's FLOP those that a rung executes: all of them, or the tiles on and above the
/// diagonal.
inline double gram_flops(std::string_view rung, const Shape& features) {
  const double all = gram(features, DataType::f32).flops;
  const auto C = static_cast<double>(features.channels);
  constexpr std::array<std::string_view, 4> whole = {"rung_1_naive", "rung_2_coalesced",
                                                     "rung_3_shared_tile", "rung_4_register_tile"};
  if (std::find(whole.begin(), whole.end(), rung) != whole.end()) return all;
  const double tile = rung == "rung_5_upper_triangle" ? 64 : kernels::GramPlan(features).tile;
  const double side = std::ceil(C / tile);
  return all * (side + 1) / (2 * side);
}

/// M is read for its largest value and again to be rounded by it; before that, each warp of 128
/// values reads the largest of every block.
inline Traffic round_for_product_traffic(std::int64_t channels, DataType type) {
  const auto square = static_cast<double>(channels * channels);
  const double largest = 4 * std::min(64.0, square / 1024);
  return {8 * square + square / 128 * largest, width(type) * square + largest};
}

/// The partial sums and what becomes of them: the loss's sums of blocks, the target and M.
inline Traffic gram_loss_traffic(std::string_view rung, const Shape& features, DataType type) {
  using Plan = kernels::GramPlan;
  const Plan plan(features, rung == "rung_7_tensor_cores" ? Plan::one_split : Plan::enough_splits);
  const double map = width(type) * values(features);
  const auto C = static_cast<double>(features.channels);
  const auto batch = static_cast<double>(features.batch);
  const double square = 4 * C * C * batch;
  const double partials = 4 * batch * static_cast<double>(plan.partials);
  const double first = C / plan.tile * map;
  if (rung.starts_with("rung_1_")) {
    return {first + partials + 2 * square, partials + 2 * square};  // G, too
  }
  const double mirrored = static_cast<double>(plan.tiles * plan.tile * plan.tile) * 4 * batch;
  return {first + partials + mirrored, partials + square};
}

inline Traffic style_backward_traffic(std::string_view rung, const Shape& features, DataType type,
                                      const GradientEpilogue& epilogue) {
  const double map = width(type) * values(features);
  const auto C = static_cast<double>(features.channels);
  const auto batch = static_cast<double>(features.batch);
  const auto P = static_cast<double>(features.pixels());
  const double joined = extra_reads(epilogue) * map;
  const double columns = C <= 64 ? 64 : 128;
  const double channel_tiles = std::max(1.0, C / columns);
  const double pixel_tiles = P / 128;
  if (rung == "rung_1_naive") return {C / 32 * map + 4 * C * C * P * batch + joined, map};
  if (rung == "rung_2_register_tile") {
    return {channel_tiles * map + 4 * C * C * pixel_tiles * batch + joined, map};
  }
  if (rung == "rung_3_tensor_cores" || rung == "rung_4_wgmma") {
    const bool resident = width(type) * C * columns <= 32768;
    const bool one_block = rung == "rung_4_wgmma" && columns == 128;  // for each processor
    const double readers =
        resident ? std::min(pixel_tiles, static_cast<double>((one_block ? 132 : 264) /
                                                             static_cast<int>(channel_tiles)))
                 : pixel_tiles;
    const double rounding = 8 * C * C * batch;  // once for the maximum, once for the values
    // Each of the eight warps reads those of its columns, in rung 4 of all.
    const double own_columns = rung == "rung_4_wgmma" ? columns : 32;
    const double scales = 8 * 4 * own_columns * channel_tiles * pixel_tiles * batch;
    return {
        rounding + channel_tiles * map + width(type) * C * C * readers * batch + scales + joined,
        (width(type) * C + 4) * C * batch + map};
  }
  return {map + 4 * C * C * batch + (epilogue.accumulate ? map : 0), map};
}

/// The sums of blocks that a loss's second stage reads, and the losses.
inline Traffic loss_sums(double blocks, std::int64_t batch) {
  return {8 * blocks, 8 * blocks + 4 * static_cast<double>(batch)};
}

inline Traffic content_loss_traffic(std::string_view rung, const Shape& features, DataType type,
                                    const GradientEpilogue& epilogue) {
  const double map = width(type) * values(features);
  const auto blocks = static_cast<double>(kernels::sum_blocks(features.per_image()));
  const Traffic sums = loss_sums(blocks * static_cast<double>(features.batch), features.batch);
  const double passes = rung == "rung_1_naive" ? 2 : 1;
  return {sums.loaded + (2 * passes + (epilogue.accumulate ? 1 : 0)) * map, sums.stored + map};
}

inline double variation_blocks(const Shape& pixels) {
  return static_cast<double>(pixels.batch * kernels::variation_blocks_down(pixels) *
                             kernels::variation_blocks_across(pixels));
}

/// The values that columns of `rows` rows load: each its first, the one above it and then each
/// below; and those beside them, in units of `step` values.
inline double column_loads(const Shape& pixels, std::int64_t rows, std::int64_t step) {
  const auto H = static_cast<double>(pixels.height);
  const auto row = static_cast<double>(pixels.width * pixels.channels);
  const auto columns = static_cast<double>((pixels.height + rows - 1) / rows);
  const double own = (2 * columns - 1) * row + (H - 1) * row;
  const double beside = 2 * H * (row - static_cast<double>(step));
  return static_cast<double>(pixels.batch) * (own + beside);
}

inline Traffic total_variation_traffic(std::string_view rung, const Shape& pixels) {
  // Rung 1's columns are of one value.
  const std::int64_t rows = rung == "rung_1_naive" ? 1 : kernels::variation_block_rows;
  const Traffic sums = loss_sums(variation_blocks(pixels), pixels.batch);
  const double map = 4 * values(pixels);
  return {sums.loaded + 4 * column_loads(pixels, rows, pixels.channels) + map, sums.stored + map};
}

/// Besides the pixels' values each warp reads what the step makes of the rate.
inline Traffic adam_traffic(std::string_view rung, const Shape& pixels) {
  const double count = values(pixels);
  const double warps = count / (rung == "rung_1_naive" ? 32 : 128);
  return {16 * count + 8 * warps + 8, 12 * count + 16};
}

inline Traffic pool_backward_traffic(std::string_view rung, const Shape& x, DataType type,
                                     const PoolKind& kind, const GradientEpilogue& epilogue) {
  const double map = width(type) * values(x);
  const bool is_max = kind.mode == kernels::PoolMode::max;
  const double held = epilogue.accumulate ? map : 0;
  if (rung == "rung_1_naive") {
    return {map + (is_max ? 4 : 0) * map + (epilogue.relu_mask ? map : 0) + held, map};
  }
  return {map / 4 + (is_max || epilogue.relu_mask ? map : 0) + held, map};
}

/// What blocks of `tile` pixels along a side load of it, with one more at each end inside the
/// image.
inline double with_neighbours(std::int64_t side, std::int64_t tile) {
  const auto tiles = static_cast<double>((side + tile - 1) / tile);
  return static_cast<double>(side) + 2 * (tiles - 1);
}

inline Traffic first_conv_forward_traffic(std::string_view rung, const Shape& y, DataType type) {
  const double map = width(type) * values(y);
  const auto batch = static_cast<double>(y.batch);
  const double groups = static_cast<double>(y.channels) / (rung == "rung_1_naive" ? 32 : 64);
  if (rung == "rung_1_naive") {
    const double taps = static_cast<double>((3 * y.height - 2) * (3 * y.width - 2)) * 3;
    const auto P = static_cast<double>(y.pixels());
    return {batch * groups * (taps * (4 + 128) + P * 128), map};
  }
  const auto blocks = static_cast<double>((y.height + 15) / 16 * ((y.width + 31) / 32));
  const double pixels = 12 * with_neighbours(y.height, 16) * with_neighbours(y.width, 32);
  const double parameters = 4 * (64 * 27 + 8 * 64);  // bias once in each of eight warps
  return {batch * groups * (pixels + blocks * parameters), map};
}

inline Traffic first_conv_backward_traffic(std::string_view rung, const Shape& y, DataType type) {
  const auto batch = static_cast<double>(y.batch);
  const auto C = static_cast<double>(y.channels);
  const auto H = static_cast<double>(y.height);
  const double stored = 12 * batch * static_cast<double>(y.pixels());
  if (rung == "rung_1_naive") {
    // 32 values belong to 34/3 pixels; of each tap a warp reads these and three weights. Beyond the
    // first and the last row all lanes read one pixel.
    const double warps = stored / 4 / 32;
    const double pixels = (34.0 / 3 * (3 * H - 2) + 2) / H;
    return {warps * 3 * C * (width(type) * pixels + 3 * 12), stored};
  }
  const auto blocks = static_cast<double>((y.height + 15) / 16 * ((y.width + 31) / 32));
  const double groups = C / 64;
  return {batch * (width(type) * C * with_neighbours(y.width, 8) * (3 * H - 2) +
                   blocks * groups * 4 * 64 * 27),
          stored};
}

}  // namespace impasto::work
