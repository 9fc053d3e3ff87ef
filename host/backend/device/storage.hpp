// SPDX-License-Identifier: MIT
#pragma once

#include "host/backend/precision.hpp"
#include "host/core/error.hpp"
#include "host/core/tensor.hpp"
#include "kernels/common/bfloat16.hpp"
#include "kernels/common/float16.hpp"

namespace impasto {

/// How a device backend stores feature maps.
inline DataType storage_of(Precision precision) {
  switch (precision) {
    case Precision::bf16: return DataType::bf16;
    case Precision::fp16: return DataType::fp16;
    default: return DataType::f32;
  }
}

/// Calls `body` with a value of the C++ type that CUDA kernels know `type` by.
template <class Body>
void dispatch(DataType type, Body body) {
  switch (type) {
    case DataType::f32: return body(float{});
    case DataType::bf16: return body(kernels::bfloat16{});
    case DataType::fp16: return body(kernels::float16{});
    default: fail(ErrorKind::internal, "there are no CUDA kernels for this data type");
  }
}

}  // namespace impasto
