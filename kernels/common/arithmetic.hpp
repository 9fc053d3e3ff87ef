// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace impasto::kernels {

/// How a CUDA kernel multiplies matrices. Sums are float either way.
enum class Arithmetic : std::uint8_t {
  fp32,          ///< multiply-adds in float, whatever the storage; on any GPU
  tensor_cores,  ///< bfloat16 and float16 as they are, float rounded to tf32; from sm_80 on
};

}  // namespace impasto::kernels
