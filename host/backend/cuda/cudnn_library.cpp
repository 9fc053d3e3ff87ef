// SPDX-License-Identifier: MIT
#include "host/backend/cuda/cudnn_library.hpp"

#include <cudnn_frontend.h>

#include "host/backend/cuda/shared_library.hpp"
#include "host/core/error.hpp"

namespace cudnn_frontend {
/// What cudnn-frontend looks for cuDNN's functions in.
void* cudnn_dlhandle = nullptr;
}  // namespace cudnn_frontend

namespace impasto::cuda {
namespace {

constexpr std::size_t oldest = 90300;  // the first for maps of 2³¹ values

std::string spelled(std::size_t version) {
  return fmt::format("{}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}

}  // namespace

void load_cudnn() {
  static const SharedLibrary library("libcudnn.so.9");
  cudnn_frontend::cudnn_dlhandle = library.handle();
  const std::size_t found = cudnn_frontend::detail::get_backend_version();
  if (found >= oldest) return;
  fail(ErrorKind::backend, "cuDNN {} is too old: {} is needed", spelled(found), spelled(oldest));
}

std::shared_ptr<cudnnContext> open_cudnn(kernels::cuda::Stream stream) {
  namespace fe = cudnn_frontend::detail;
  load_cudnn();
  const auto require_success = [](cudnnStatus_t status, const char* call) {
    if (status == CUDNN_STATUS_SUCCESS) return;
    fail(ErrorKind::backend, "{}: {}", call, fe::get_error_string(status));
  };
  cudnnHandle_t made = nullptr;
  require_success(fe::create_handle(&made), "cudnnCreate");
  std::shared_ptr<cudnnContext> handle(made, [](cudnnHandle_t old) { fe::destroy_handle(old); });
  require_success(fe::set_stream(made, stream), "cudnnSetStream");
  return handle;
}

std::string cudnn_version() { return spelled(cudnn_frontend::detail::get_backend_version()); }

}  // namespace impasto::cuda
