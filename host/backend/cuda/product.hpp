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

/// grad = α·F·M + β·grad for every image of a batch, by cuBLASLt: F and grad (N,P,C), M (N,C,C), in
/// the storage of a precision, sums in float. fp32 uses no tensor cores, tf32 those for it. Sums
/// are not split over blocks, so that their order is the algorithm's own and the same in every run.
/// Throws ErrorKind::backend naming the call.
class Product {
 public:
  /// The handle must outlive the object.
  Product(cublasLtHandle_t handle, Precision precision, const kernels::MapSize& size);

  /// What cuBLASLt's heuristics propose, best first, as far as it can be asked for again.
  [[nodiscard]] std::vector<ProductAlgorithm> propose(std::int64_t workspace_bytes) const;
  /// The algorithm that `parameters` name; null where there is none such.
  [[nodiscard]] std::unique_ptr<ProductAlgorithm> configure(
      const std::map<std::string, std::int64_t>& parameters) const;

  /// Enqueues it; all pointers are the device's.
  void run(const ProductAlgorithm& algorithm, void* grad, const void* features, const void* matrix,
           const kernels::cuda::ProductScalars* scalars, void* workspace,
           kernels::cuda::Stream stream) const;

 private:
  cublasLtHandle_t handle_;
  Precision precision_;
  std::shared_ptr<cublasLtMatmulDescOpaque_t> operation_;
  std::shared_ptr<cublasLtMatrixLayoutOpaque_t> maps_;
  std::shared_ptr<cublasLtMatrixLayoutOpaque_t> matrices_;
};

}  // namespace impasto::cuda
