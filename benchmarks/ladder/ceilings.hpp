// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <string>

#include "host/runtime/runtime.hpp"

namespace impasto::bench::cuda {

using impasto::cuda::Runtime;

/// What this GPU can do at most, measured by kernels that do nothing else: the roofs that rows are
/// held against. copy_bytes_per_second and read_bytes_per_second of arrays that no cache holds, the
/// same with l2_ of arrays that L2 holds, fma_flops, and on tensor cores (since sm_80) tf32_flops,
/// bf16_flops and fp16_flops. A copy counts what it reads and what it writes.
using Ceilings = std::map<std::string, double>;

Ceilings measure_ceilings(Runtime& runtime);

/// The clock of the multiprocessors behind the work that is in the stream, in MHz: cycles by time, as
/// one of them counts both for 100 µs.
double sm_megahertz(Runtime& runtime);

}  // namespace impasto::bench::cuda
