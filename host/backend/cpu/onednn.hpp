// SPDX-License-Identifier: MIT
#pragma once

#include <dnnl.hpp>

#include "host/backend/backend.hpp"

namespace impasto::cpu {

/// The one oneDNN engine and stream of a CPU backend.
struct OneDnn {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
};

inline dnnl::memory::data_type onednn_type(DataType type) {
  return type == DataType::bf16 ? dnnl::memory::data_type::bf16 : dnnl::memory::data_type::f32;
}

/// oneDNN's view of an NHWC tensor. Its dimensions are always named in the order N, C, H, W.
inline dnnl::memory::desc nhwc(const Shape& shape, DataType type) {
  return {{shape.batch, shape.channels, shape.height, shape.width},
          onednn_type(type),
          dnnl::memory::format_tag::nhwc};
}

}  // namespace impasto::cpu
