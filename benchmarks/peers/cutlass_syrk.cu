// SPDX-License-Identifier: MIT
// CUTLASS's symmetric rank-k update for symmetric_products.py, as a shared library: G = FᵀF of a
// float map of P×C, products in tf32, the lower triangle alone. CUTLASS has none for 16-bit maps.
#include <cutlass/gemm/device/rank_k.h>

namespace gemm = cutlass::gemm;
using Layout = cutlass::layout::ColumnMajor;
using Syrk = gemm::device::RankK<
    float, Layout, float, Layout, cutlass::FillMode::kLower, float, cutlass::arch::OpClassTensorOp,
    cutlass::arch::Sm80, gemm::GemmShape<128, 128, 16>, gemm::GemmShape<64, 64, 16>,
    gemm::GemmShape<16, 8, 8>, cutlass::epilogue::thread::LinearCombination<float, 1, float, float>,
    gemm::threadblock::GemmIdentityThreadblockSwizzle<>, 4>;

/// 0, or CUTLASS's status. It allocates no memory.
extern "C" int gram(float* gram, const float* features, int channels, int pixels,
                    cudaStream_t stream) {
  Syrk syrk;
  const Syrk::Arguments arguments(cutlass::gemm::GemmUniversalMode::kGemm,
                                  {channels, channels, pixels}, 1, {1, 0}, features, gram, gram, 0,
                                  0, 0, channels, channels, channels);
  return static_cast<int>(syrk(arguments, nullptr, stream));
}
