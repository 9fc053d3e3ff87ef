// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "host/backend/backend.hpp"

namespace impasto {

/// The CUDA kernels on the host-SIMT machine, for checking them and the host code around them
/// without a GPU; convolutions come from the cpu backend. Every precision, thousands of times
/// slower than a GPU.
std::unique_ptr<Backend> make_simt_backend(Precision precision);

}  // namespace impasto
