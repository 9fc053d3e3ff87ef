// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <gtest/gtest.h>
#include <ostream>

#include "kernels/common/size.hpp"
#include "kernels/conv/conv.hpp"
#include "kernels/pool/pool.hpp"

namespace impasto::kernels {

inline std::ostream& operator<<(std::ostream& out, const MapSize& size) {
  return out << size.batch << "x" << size.height << "x" << size.width << "x" << size.channels;
}

inline std::ostream& operator<<(std::ostream& out, const ConvSize& size) {
  return out << size.batch << "x" << size.height << "x" << size.width << ", " << size.in_channels
             << " to " << size.out_channels << " channels";
}

inline std::ostream& operator<<(std::ostream& out, const PoolKind& kind) {
  return out << (kind.mode == PoolMode::l2    ? "l2"
                 : kind.mode == PoolMode::max ? "max"
                                              : "average")
             << (kind.rounding == PoolRounding::up ? ", up" : ", down");
}

inline std::ostream& operator<<(std::ostream& out, const GradientEpilogue& epilogue) {
  return out << (epilogue.accumulate ? "accumulate" : "overwrite")
             << (epilogue.relu_mask ? ", mask" : ", no mask");
}

}  // namespace impasto::kernels

namespace impasto::test {

/// One pixel, one row, one column, odd, even and prime sides, H ≠ W, channel counts that fill a
/// vector, do not, and leave a tail, and maps large enough for several threads and chunks.
inline constexpr std::array map_sizes = {
    kernels::MapSize{1, 1, 1, 1},    kernels::MapSize{3, 1, 1, 7},
    kernels::MapSize{1, 2, 2, 3},    kernels::MapSize{2, 1, 33, 3},
    kernels::MapSize{1, 31, 1, 16},  kernels::MapSize{2, 3, 5, 7},
    kernels::MapSize{3, 4, 7, 1},    kernels::MapSize{1, 13, 8, 64},
    kernels::MapSize{2, 17, 19, 16}, kernels::MapSize{1, 64, 48, 3},
    kernels::MapSize{1, 61, 37, 64}, kernels::MapSize{1, 127, 131, 7}};

/// Calls check(size, offset) for those of `sizes` that are small enough for the host-SIMT machine. With
/// offset 0 a kernel may use vectors where a pixel or an image fills them, with 1 it may not.
template <class Sizes, class Check>
void for_each_small_map(const Sizes& sizes, Check check) {
  for (const kernels::MapSize& size : sizes) {
    if (size.count() > 10000) continue;
    for (const std::int64_t offset : {0, 1}) {
      SCOPED_TRACE(testing::Message() << size << ", offset " << offset);
      check(size, offset);
    }
  }
}

inline constexpr std::array epilogues = {
    kernels::GradientEpilogue{false, false}, kernels::GradientEpilogue{false, true},
    kernels::GradientEpilogue{true, false}, kernels::GradientEpilogue{true, true}};

}  // namespace impasto::test
