// SPDX-License-Identifier: MIT
#include "host/backend/cuda/cublaslt_library.hpp"

#include <fmt/format.h>

#include "host/backend/cuda/shared_library.hpp"
#include "host/core/error.hpp"

namespace impasto::cuda {
namespace {

CublasLt load() {
  const SharedLibrary library(fmt::format("libcublasLt.so.{}", CUBLAS_VER_MAJOR));
  CublasLt functions{};
  library.find(functions.get_version, "cublasLtGetVersion");
  library.find(functions.create, "cublasLtCreate");
  library.find(functions.destroy, "cublasLtDestroy");
  library.find(functions.matmul, "cublasLtMatmul");
  library.find(functions.create_operation, "cublasLtMatmulDescCreate");
  library.find(functions.destroy_operation, "cublasLtMatmulDescDestroy");
  library.find(functions.set_operation, "cublasLtMatmulDescSetAttribute");
  library.find(functions.create_layout, "cublasLtMatrixLayoutCreate");
  library.find(functions.destroy_layout, "cublasLtMatrixLayoutDestroy");
  library.find(functions.set_layout, "cublasLtMatrixLayoutSetAttribute");
  library.find(functions.create_preference, "cublasLtMatmulPreferenceCreate");
  library.find(functions.destroy_preference, "cublasLtMatmulPreferenceDestroy");
  library.find(functions.set_preference, "cublasLtMatmulPreferenceSetAttribute");
  library.find(functions.propose, "cublasLtMatmulAlgoGetHeuristic");
  library.find(functions.start_algorithm, "cublasLtMatmulAlgoInit");
  library.find(functions.check_algorithm, "cublasLtMatmulAlgoCheck");
  library.find(functions.get_field, "cublasLtMatmulAlgoConfigGetAttribute");
  library.find(functions.set_field, "cublasLtMatmulAlgoConfigSetAttribute");
  return functions;
}

}  // namespace

const CublasLt& cublaslt() {
  static const CublasLt functions = load();
  return functions;
}

std::shared_ptr<cublasLtContext> open_cublaslt() {
  const CublasLt& lt = cublaslt();
  cublasLtHandle_t made = nullptr;
  const cublasStatus_t status = lt.create(&made);
  if (status != CUBLAS_STATUS_SUCCESS) {
    fail(ErrorKind::backend, "cublasLtCreate: status {}", static_cast<int>(status));
  }
  return {made, lt.destroy};
}

std::string cublaslt_version() {
  const std::size_t version = cublaslt().get_version();
  return fmt::format("{}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}

}  // namespace impasto::cuda
