// SPDX-License-Identifier: MIT
#pragma once

#include <cublasLt.h>
#include <memory>
#include <string>

namespace impasto::cuda {

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

/// Loaded by the first call. Throws ErrorKind::backend when there is none, of the CUDA generation
/// that this program was built for.
const CublasLt& cublaslt();

/// A handle. Throws as above.
std::shared_ptr<cublasLtContext> open_cublaslt();

/// "13.1.0"
std::string cublaslt_version();

}  // namespace impasto::cuda
