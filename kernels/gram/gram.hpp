// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/common/arithmetic.hpp"
#include "kernels/common/device.hpp"
#include "kernels/common/ladder.hpp"
#include "kernels/common/size.hpp"

namespace impasto::kernels {

/// Gram matrix of a feature map: which channels respond together, wherever in the picture.
/// Math    G[n] = F[n]ᵀ·F[n], that is G[n,i,j] = Σ_p F[n,p,i]·F[n,p,j]; not normalised
/// Shapes  features (N,P,C) with P = H·W, gram (N,C,C), symmetric
/// Source  Gatys, Ecker, Bethge 2015, eq. 3
/// Cost    2·C²·P FLOP per image (half of it with symmetry); sizeof(T)·C·P + 4·C² bytes
/// Order   fixed: the same input gives the same bits on any number of threads
///
/// The CPU version is a product through oneDNN: host/backend/cpu/style.cpp.
namespace reference {
void gram(double* gram, const double* features, const MapSize& size);
}

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
