// SPDX-License-Identifier: MIT
#pragma once

#include "host/core/error.hpp"
#include "host/core/tensor.hpp"
#include "kernels/common/bfloat16.hpp"

namespace impasto::cpu {

/// Calls `body` with a value of the C++ type that stores `type`.
template <class Body>
void dispatch(DataType type, Body body) {
  switch (type) {
    case DataType::f32: return body(float{});
    case DataType::bf16: return body(kernels::bfloat16{});
    default: fail(ErrorKind::internal, "the cpu backend has no kernels for this data type");
  }
}

}  // namespace impasto::cpu
