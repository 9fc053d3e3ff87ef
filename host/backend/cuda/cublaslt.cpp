// SPDX-License-Identifier: MIT
#include "host/backend/cuda/cublaslt.hpp"

#include <array>
#include <utility>

#include "host/backend/cuda/loading.hpp"
#include "host/core/error.hpp"

namespace impasto::cuda {
namespace {

const SharedLibrary& library() {
  static const SharedLibrary loaded(fmt::format("libcublasLt.so.{}", CUBLAS_VER_MAJOR),
                                    toolkit_wheel);
  return loaded;
}

CublasLt load() {
  CublasLt functions{};
  library().find(functions.get_version, "cublasLtGetVersion");
  library().find(functions.create, "cublasLtCreate");
  library().find(functions.destroy, "cublasLtDestroy");
  library().find(functions.matmul, "cublasLtMatmul");
  library().find(functions.create_operation, "cublasLtMatmulDescCreate");
  library().find(functions.destroy_operation, "cublasLtMatmulDescDestroy");
  library().find(functions.set_operation, "cublasLtMatmulDescSetAttribute");
  library().find(functions.create_layout, "cublasLtMatrixLayoutCreate");
  library().find(functions.destroy_layout, "cublasLtMatrixLayoutDestroy");
  library().find(functions.set_layout, "cublasLtMatrixLayoutSetAttribute");
  library().find(functions.create_preference, "cublasLtMatmulPreferenceCreate");
  library().find(functions.destroy_preference, "cublasLtMatmulPreferenceDestroy");
  library().find(functions.set_preference, "cublasLtMatmulPreferenceSetAttribute");
  library().find(functions.propose, "cublasLtMatmulAlgoGetHeuristic");
  library().find(functions.start_algorithm, "cublasLtMatmulAlgoInit");
  library().find(functions.check_algorithm, "cublasLtMatmulAlgoCheck");
  library().find(functions.get_field, "cublasLtMatmulAlgoConfigGetAttribute");
  library().find(functions.set_field, "cublasLtMatmulAlgoConfigSetAttribute");
  return functions;
}

void require_success(cublasStatus_t status, const char* call) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  const ErrorKind kind =
      status == CUBLAS_STATUS_ALLOC_FAILED ? ErrorKind::out_of_memory : ErrorKind::backend;
  fail(kind, "{}: status {}", call, static_cast<int>(status));
}

cudaDataType_t cublas_type(DataType type) {
  switch (type) {
    case DataType::bf16: return CUDA_R_16BF;
    case DataType::fp16: return CUDA_R_16F;
    default: return CUDA_R_32F;
  }
}

cublasComputeType_t arithmetic_of(Precision precision) {
  return precision == Precision::tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
}

/// A parameter of an algorithm besides its number, as cublasLt.h declares it.
struct Field {
  const char* name;
  cublasLtMatmulAlgoConfigAttributes_t attribute;
  std::size_t bytes;
};
constexpr const char* number_field = "algorithm";
constexpr const char* split_field = "split";
constexpr std::array fields = {
    Field{"tile", CUBLASLT_ALGO_CONFIG_TILE_ID, 4},
    Field{split_field, CUBLASLT_ALGO_CONFIG_SPLITK_NUM, 4},
    Field{"reduction", CUBLASLT_ALGO_CONFIG_REDUCTION_SCHEME, 4},
    Field{"swizzle", CUBLASLT_ALGO_CONFIG_CTA_SWIZZLING, 4},
    Field{"option", CUBLASLT_ALGO_CONFIG_CUSTOM_OPTION, 4},
    Field{"stages", CUBLASLT_ALGO_CONFIG_STAGES_ID, 4},
    Field{"inner shape", CUBLASLT_ALGO_CONFIG_INNER_SHAPE_ID, 2},
    Field{"cluster", CUBLASLT_ALGO_CONFIG_CLUSTER_SHAPE_ID, 2},
};

std::map<std::string, std::int64_t> parameters_of(const cublasLtMatmulAlgo_t& algorithm) {
  const CublasLt& lt = cublaslt();
  std::map<std::string, std::int64_t> parameters;
  const auto read = [&](const Field& field) {
    std::uint32_t value = 0;  // little-endian: two bytes are its lower half
    std::size_t written = 0;
    require_success(lt.get_field(&algorithm, field.attribute, &value, field.bytes, &written),
                    "cublasLtMatmulAlgoConfigGetAttribute");
    parameters[field.name] = value;
  };
  read({number_field, CUBLASLT_ALGO_CONFIG_ID, 4});
  for (const Field& field : fields) read(field);
  return parameters;
}

using Kind = Matmul::Kind;

cudaDataType_t result_of(Precision precision, Kind kind) {
  return kind == Kind::gram ? CUDA_R_32F : cublas_type(storage_of(precision));
}

std::shared_ptr<cublasLtMatmulDescOpaque_t> make_operation(Precision precision, Kind kind) {
  const CublasLt& lt = cublaslt();
  cublasLtMatmulDesc_t made = nullptr;
  require_success(lt.create_operation(&made, arithmetic_of(precision), CUDA_R_32F),
                  "cublasLtMatmulDescCreate");
  std::shared_ptr<cublasLtMatmulDescOpaque_t> operation(made, lt.destroy_operation);
  const auto set = [&](cublasLtMatmulDescAttributes_t attribute, const auto& value) {
    require_success(lt.set_operation(made, attribute, &value, sizeof value),
                    "cublasLtMatmulDescSetAttribute");
  };
  set(CUBLASLT_MATMUL_DESC_POINTER_MODE, CUBLASLT_POINTER_MODE_DEVICE);
  if (kind == Kind::gram) set(CUBLASLT_MATMUL_DESC_TRANSB, CUBLAS_OP_T);
  return operation;
}

/// A matrix of C rows and `columns` columns for each image, one after the other.
std::shared_ptr<cublasLtMatrixLayoutOpaque_t> make_layout(cudaDataType_t type,
                                                          const kernels::MapSize& size,
                                                          std::int64_t columns) {
  const CublasLt& lt = cublaslt();
  cublasLtMatrixLayout_t made = nullptr;
  require_success(lt.create_layout(&made, type, static_cast<std::uint64_t>(size.channels),
                                   static_cast<std::uint64_t>(columns), size.channels),
                  "cublasLtMatrixLayoutCreate");
  std::shared_ptr<cublasLtMatrixLayoutOpaque_t> layout(made, lt.destroy_layout);
  const auto set = [&](cublasLtMatrixLayoutAttribute_t attribute, const auto& value) {
    require_success(lt.set_layout(made, attribute, &value, sizeof value),
                    "cublasLtMatrixLayoutSetAttribute");
  };
  set(CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, static_cast<std::int32_t>(size.batch));
  set(CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, size.channels * columns);
  return layout;
}

}  // namespace

const CublasLt& cublaslt() {
  static const CublasLt functions = load();
  return functions;
}

std::shared_ptr<cublasLtContext> open_cublaslt() {
  const CublasLt& lt = cublaslt();
  cublasLtHandle_t made = nullptr;
  require_success(lt.create(&made), "cublasLtCreate");
  return {made, lt.destroy};
}

std::string cublaslt_version() {
  const std::size_t version = cublaslt().get_version();
  return fmt::format("{}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}

std::string cublaslt_file() { return library().path(); }

// cuBLASLt stores matrices by columns, so it sees everything transposed: a map (P,C) is a matrix of
// C rows and P columns, and the factors change places. gradᵀ = M·Fᵀ, where M is its own transpose;
// gram = Fᵀ·(Fᵀ)ᵀ, where the second factor is transposed.
Matmul::Matmul(cublasLtHandle_t handle, Precision precision, Kind kind,
               const kernels::MapSize& size)
    : handle_(handle),
      precision_(precision),
      kind_(kind),
      operation_(make_operation(precision, kind)),
      left_(make_layout(cublas_type(storage_of(precision)), size, size.pixels())),
      right_(kind == Kind::gram
                 ? left_
                 : make_layout(cublas_type(storage_of(precision)), size, size.channels)),
      result_(kind == Kind::gram ? make_layout(result_of(precision, kind), size, size.channels)
                                 : left_) {}

std::vector<MatmulAlgorithm> Matmul::propose(std::int64_t workspace_bytes) const {
  const CublasLt& lt = cublaslt();
  cublasLtMatmulPreference_t preference = nullptr;
  require_success(lt.create_preference(&preference), "cublasLtMatmulPreferenceCreate");
  const std::shared_ptr<cublasLtMatmulPreferenceOpaque_t> freed(preference, lt.destroy_preference);
  const auto prefer = [&](cublasLtMatmulPreferenceAttributes_t attribute, const auto& value) {
    require_success(lt.set_preference(preference, attribute, &value, sizeof value),
                    "cublasLtMatmulPreferenceSetAttribute");
  };
  prefer(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, static_cast<std::uint64_t>(workspace_bytes));
  prefer(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
         static_cast<std::uint32_t>(kind_ == Kind::gram ? CUBLASLT_REDUCTION_SCHEME_MASK
                                                        : CUBLASLT_REDUCTION_SCHEME_NONE));
  if (precision_ == Precision::fp32) {
    prefer(CUBLASLT_MATMUL_PREF_IMPL_MASK,
           ~static_cast<std::uint64_t>(CUBLASLT_NUMERICAL_IMPL_FLAGS_TENSOR_OP_MASK));
  }
  std::array<cublasLtMatmulHeuristicResult_t, 16> proposed{};
  int count = 0;
  const cublasStatus_t status =
      lt.propose(handle_, operation_.get(), right_.get(), left_.get(), result_.get(), result_.get(),
                 preference, static_cast<int>(proposed.size()), proposed.data(), &count);
  std::vector<MatmulAlgorithm> algorithms;
  if (status != CUBLAS_STATUS_SUCCESS) return algorithms;
  for (int i = 0; i < count; ++i) {
    const cublasLtMatmulHeuristicResult_t& result = proposed[static_cast<std::size_t>(i)];
    if (result.state != CUBLAS_STATUS_SUCCESS) continue;
    auto parameters = parameters_of(result.algo);
    if (kind_ == Kind::style_gradient && parameters.at(split_field) > 1) continue;
    algorithms.push_back(
        {std::move(parameters), static_cast<std::int64_t>(result.workspaceSize), result.algo});
  }
  return algorithms;
}

std::unique_ptr<MatmulAlgorithm> Matmul::configure(
    const std::map<std::string, std::int64_t>& parameters) const {
  const CublasLt& lt = cublaslt();
  const auto number = parameters.find(number_field);
  const auto split = parameters.find(split_field);
  if (number == parameters.end() || split == parameters.end()) return nullptr;
  if (kind_ == Kind::style_gradient && split->second > 1) return nullptr;
  auto configured = std::make_unique<MatmulAlgorithm>();
  configured->parameters = parameters;
  const cudaDataType_t storage = cublas_type(storage_of(precision_));
  const cudaDataType_t result = result_of(precision_, kind_);
  if (lt.start_algorithm(handle_, arithmetic_of(precision_), CUDA_R_32F, storage, storage, result,
                         result, static_cast<int>(number->second),
                         &configured->algorithm) != CUBLAS_STATUS_SUCCESS) {
    return nullptr;
  }
  for (const Field& field : fields) {
    const auto given = parameters.find(field.name);
    if (given == parameters.end()) return nullptr;
    const auto value = static_cast<std::uint32_t>(given->second);
    if (lt.set_field(&configured->algorithm, field.attribute, &value, field.bytes) !=
        CUBLAS_STATUS_SUCCESS) {
      return nullptr;
    }
  }
  cublasLtMatmulHeuristicResult_t checked{};
  if (lt.check_algorithm(handle_, operation_.get(), right_.get(), left_.get(), result_.get(),
                         result_.get(), &configured->algorithm,
                         &checked) != CUBLAS_STATUS_SUCCESS) {
    return nullptr;
  }
  configured->workspace_bytes = static_cast<std::int64_t>(checked.workspaceSize);
  return configured;
}

void Matmul::run(const MatmulAlgorithm& algorithm, void* result, const void* left,
                 const void* right, const kernels::cuda::ProductScalars* scalars, void* workspace,
                 kernels::cuda::Stream stream) const {
  require_success(cublaslt().matmul(handle_, operation_.get(), &scalars->alpha, right, right_.get(),
                                    left, left_.get(), &scalars->beta, result, result_.get(),
                                    result, result_.get(), &algorithm.algorithm, workspace,
                                    static_cast<std::size_t>(algorithm.workspace_bytes), stream),
                  "cublasLtMatmul");
}

}  // namespace impasto::cuda
