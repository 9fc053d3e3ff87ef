// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <vector>

#include "host/backend/backend.hpp"

namespace impasto {

/// oneDNN for convolutions and products, our kernels for the rest, OpenMP for the threads. fp32,
/// and bf16 where the CPU has instructions for it.
std::unique_ptr<Backend> make_cpu_backend(Precision precision);

/// The precisions this CPU offers.
std::vector<Precision> cpu_precisions();

}  // namespace impasto
