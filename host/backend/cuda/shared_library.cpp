// SPDX-License-Identifier: MIT
#include "host/backend/cuda/shared_library.hpp"

#include <dlfcn.h>
#include <utility>

#include "host/core/error.hpp"

namespace impasto::cuda {

SharedLibrary::SharedLibrary(std::string file)
    : file_(std::move(file)), handle_(::dlopen(file_.c_str(), RTLD_NOW | RTLD_LOCAL)) {
  if (handle_ != nullptr) return;
  const std::string reason = ::dlerror();
  handle_ = ::dlopen(("/usr/local/cuda/lib64/" + file_).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle_ == nullptr) fail(ErrorKind::backend, "cannot load {}: {}", file_, reason);
}

void* SharedLibrary::symbol(const char* name) const {
  void* found = ::dlsym(handle_, name);
  if (found == nullptr) fail(ErrorKind::backend, "{} has no {}", file_, name);
  return found;
}

}  // namespace impasto::cuda
