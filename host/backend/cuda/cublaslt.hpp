// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <cublasLt.h>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "host/backend/precision.hpp"
#include "kernels/common/size.hpp"
#include "kernels/style_backward/style_backward.hpp"

namespace impasto::cuda {

/// The folder under "nvidia" into which Python's wheels of CUDA install their libraries.
constexpr std::string_view toolkit_wheel = "cu13";

/// The functions of cuBLASLt that we call.
struct CublasLt {
  decltype(&cublasLtGetVersion) get_version;
  decltype(&cublasLtCreate) create;
  decltype(&cublasLtDestroy) destroy;
  decltype(&cublasLtMatmul) matmul;
  decltype(&cublasLtMatmulDescCreate) create_operation;
  decltype(&cublasLtMatmulDescDestroy) destroy_operation;
  decltype(&cublasLtMatmulDescSetAttribute) set_operation;
  decltype(&cublasLtMatrixLayoutCreate) create_layout;
  decltype(&cublasLtMatrixLayoutDestroy) destroy_layout;
  decltype(&cublasLtMatrixLayoutSetAttribute) set_layout;
  decltype(&cublasLtMatmulPreferenceCreate) create_preference;
  decltype(&cublasLtMatmulPreferenceDestroy) destroy_preference;
  decltype(&cublasLtMatmulPreferenceSetAttribute) set_preference;
  decltype(&cublasLtMatmulAlgoGetHeuristic) propose;
  decltype(&cublasLtMatmulAlgoInit) start_algorithm;
  decltype(&cublasLtMatmulAlgoCheck) check_algorithm;
  decltype(&cublasLtMatmulAlgoConfigGetAttribute) get_field;
  decltype(&cublasLtMatmulAlgoConfigSetAttribute) set_field;
};

/// Loads cuBLASLt on the first call. Throws ErrorKind::backend when there is none of the CUDA
/// generation that this program was built for.
const CublasLt& cublaslt();

/// A handle, which belongs to the current device. Throws as cublaslt() does.
std::shared_ptr<cublasLtContext> open_cublaslt();

/// "13.1.0"
std::string cublaslt_version();
/// Where it was loaded from.
std::string cublaslt_file();

/// One of cuBLASLt's algorithms, configured for one matmul.
struct MatmulAlgorithm {
  /// {"algorithm": 66, "tile": 20, ...}: what Matmul::configure takes.
  std::map<std::string, std::int64_t> parameters;
  std::int64_t workspace_bytes = 0;
  cublasLtMatmulAlgo_t algorithm{};
};

/// A matrix product for every image of a batch, by cuBLASLt: result = α·left·right + β·result.
/// Feature maps (N,P,C) have the storage type of the precision; sums are float. fp32 uses no tensor
/// cores, tf32 rounds its factors to tf32. Throws ErrorKind::backend naming the call.
class Matmul {
 public:
  enum class Kind : std::uint8_t {
    /// grad = α·F·M + β·grad. M is (N,C,C), symmetric and of F's type. No sum is split over blocks,
    /// so that the algorithm alone fixes its order, the same in every run.
    style_gradient,
    /// gram = α·FᵀF + β·gram. gram is (N,C,C) in float; left and right are both F. The sums go
    /// over more pixels than one block should add, so they may be split.
    gram,
  };

  /// The handle must outlive the object. `size` is F's.
  Matmul(cublasLtHandle_t handle, Precision precision, Kind kind, const kernels::MapSize& size);

  /// What cuBLASLt's heuristics propose, best first, as it configured them.
  [[nodiscard]] std::vector<MatmulAlgorithm> propose(std::int64_t workspace_bytes) const;
  /// The algorithm that `parameters` name; null where there is no such algorithm.
  [[nodiscard]] std::unique_ptr<MatmulAlgorithm> configure(
      const std::map<std::string, std::int64_t>& parameters) const;

  /// Enqueues the product; all pointers are to device memory.
  void run(const MatmulAlgorithm& algorithm, void* result, const void* left, const void* right,
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
