// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/common/arithmetic.hpp"
#include "kernels/common/device.hpp"
#include "kernels/common/ladder.hpp"
#include "kernels/common/simd.hpp"
#include "kernels/common/size.hpp"

namespace impasto::kernels {

/// Gram matrix of a feature map: which channels respond together, wherever in the picture.
/// Math    G[n] = F[n]ᵀ·F[n], that is G[n,i,j] = Σ_p F[n,p,i]·F[n,p,j]; not normalised
/// Shapes  features (N,P,C) with P = H·W, gram (N,C,C), symmetric
/// Source  Gatys, Ecker, Bethge 2015, eq. 3
/// Cost    2·C²·P FLOP per image (half of it with symmetry); sizeof(T)·C·P + 4·C² bytes
/// Order   fixed: the same input gives the same bits on any number of threads
///
/// The CPU has a version in float, below; in bfloat16, and where that does not fit, it multiplies
/// through oneDNN: host/backend/cpu/style.cpp.
namespace reference {
void gram(double* gram, const double* features, const MapSize& size);
}

namespace cpu {
inline constexpr std::int64_t gram_panel_channels = 64;
inline constexpr std::int64_t gram_packed_pixels = 128;  ///< whose panel fits into the first cache

/// Pixels that are summed in float before their sum joins the others' in double: the size alone
/// decides, at most 64 partial matrices, each worth the call of a product.
constexpr std::int64_t gram_chunk_pixels(std::int64_t pixels) {
  return std::min(pixels, std::max<std::int64_t>(4096, pixels / 64));
}

/// Whether there is a version for so many channels.
constexpr bool gram_fits(std::int64_t channels) { return channels % gram_panel_channels == 0; }

/// Computes the upper triangle and mirrors it. `workspace`, aligned to 64 bytes, holds
/// gram_workspace(size, threads) floats.
void gram(float* gram, const float* features, const MapSize& size, Simd simd, float* workspace,
          int threads);
std::int64_t gram_workspace(const MapSize& size, int threads);

/// Of some pixels' sum: the columns of one panel, from row 0 to the diagonal.
struct GramPanel {
  float* sum;             ///< (C,C)
  const float* features;  ///< (pixels,C)
  std::int64_t pixels;
  std::int64_t channels;
  std::int64_t index;  ///< of the panel
  float* packed;       ///< (C/64, gram_packed_pixels, 64), the thread's own
};
// gram_simd.cpp, once for each set of instructions.
namespace avx2 {
void gram_panel(const GramPanel& problem);
}
namespace avx512 {
void gram_panel(const GramPanel& problem);
}
}  // namespace cpu

namespace IMPASTO_DEVICE {
/// Enqueues the product. T: float, bfloat16 or float16. The order of an image's sums depends on its
/// size alone, not on the batch or the GPU. `workspace` holds gram_workspace(size) floats.
template <class T>
void gram(float* gram, const T* features, const MapSize& size, Arithmetic arithmetic,
          float* workspace, Stream stream);
std::int64_t gram_workspace(const MapSize& size);

template <class T>
using GramLauncher = void (*)(float* gram, const T* features, const MapSize& size, float* workspace,
                              Stream stream);
using GramRung = RungWith<GramLauncher>;
std::span<const GramRung> gram_ladder();
}  // namespace IMPASTO_DEVICE

}  // namespace impasto::kernels
