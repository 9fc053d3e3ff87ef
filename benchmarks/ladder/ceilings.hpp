// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include "host/runtime/runtime.hpp"

namespace impasto::bench::cuda {

using impasto::cuda::Runtime;

/// What this GPU can do at most, measured by kernels that do nothing else: the roofs that rows are
/// held against.
struct Ceilings {
  std::size_t l2_bytes = 0;
  double copy = 0;     ///< bytes/s, arrays that no cache holds, read and written
  double read = 0;     ///< the same, read alone: memory need not turn round
  double l2_copy = 0;  ///< bytes/s, arrays that L2 holds
  double l2_read = 0;
  double fma = 0;   ///< FLOP/s, float
  double tf32 = 0;  ///< FLOP/s on tensor cores; 0 before sm_80
  double bf16 = 0;
  double fp16 = 0;
};

Ceilings measure_ceilings(Runtime& runtime);

}  // namespace impasto::bench::cuda
