// SPDX-License-Identifier: MIT
#pragma once

#include <array>
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
  return out << (kind.mode == PoolMode::max ? "max" : "average")
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

inline constexpr std::array epilogues = {
    kernels::GradientEpilogue{false, false}, kernels::GradientEpilogue{false, true},
    kernels::GradientEpilogue{true, false}, kernels::GradientEpilogue{true, true}};

}  // namespace impasto::test
