// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "host/backend/cuda/cublaslt_library.hpp"
#include "host/backend/precision.hpp"
#include "kernels/common/size.hpp"
#include "kernels/style_backward/style_backward.hpp"

namespace impasto::cuda {

/// One of cuBLASLt's algorithms, configured for one product.
struct ProductAlgorithm {
  /// {"algorithm": 66, "tile": 20, ...}: what Product::configure takes.
  std::map<std::string, std::int64_t> parameters;
  std::int64_t workspace_bytes = 0;
  cublasLtMatmulAlgo_t algorithm{};
};

/// A product for every image of a batch, by cuBLASLt: result = α·left·right + β·result, feature
/// maps (N,P,C) in the storage of a precision, sums in float. fp32 uses no tensor cores, tf32 those
/// for it. Throws ErrorKind::backend naming the call.
class Product {
 public:
  enum class Kind : std::uint8_t {
    /// grad = α·F·M + β·grad, M (N,C,C) symmetric and stored as F. No sum is split over blocks, so
    /// that its order is the algorithm's own and the same in every run.
    style_gradient,
    /// gram = α·FᵀF + β·gram, gram (N,C,C) in float; left and right are both F. Its sums are over
    /// more pixels than one block should add, and may be split.
    gram,
  };

  /// The handle must outlive the object. `size` is F's.
  Product(cublasLtHandle_t handle, Precision precision, Kind kind, const kernels::MapSize& size);

  /// What cuBLASLt's heuristics propose, best first, as far as it can be asked for again.
  [[nodiscard]] std::vector<ProductAlgorithm> propose(std::int64_t workspace_bytes) const;
  /// The algorithm that `parameters` name; null where there is none such.
  [[nodiscard]] std::unique_ptr<ProductAlgorithm> configure(
      const std::map<std::string, std::int64_t>& parameters) const;

  /// Enqueues it; all pointers are the device's.
  void run(const ProductAlgorithm& algorithm, void* result, const void* left, const void* right,
           const kernels::cuda::ProductScalars* scalars, void* workspace,
           kernels::cuda::Stream stream) const;

 private:
  using Layout = std::shared_ptr<cublasLtMatrixLayoutOpaque_t>;

  cublasLtHandle_t handle_;
  Precision precision_;
  Kind kind_;
  std::shared_ptr<cublasLtMatmulDescOpaque_t> operation_;
  Layout left_;
  Layout right_;
  Layout result_;
};

}  // namespace impasto::cuda
