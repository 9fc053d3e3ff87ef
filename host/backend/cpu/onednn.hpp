// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <dnnl.hpp>
#include <memory>
#include <omp.h>
#include <optional>
#include <unordered_map>

#include "host/backend/backend.hpp"

namespace impasto::cpu {

/// Memory that is used again and again, and grows to the largest size that was requested. Aligned
/// to 64 bytes.
class Scratchpad {
 public:
  /// At least `bytes` bytes of undefined content. Earlier pointers are no longer valid.
  void* reserve(std::size_t bytes);

 private:
  std::unique_ptr<void, void (*)(void*)> memory_{nullptr, nullptr};
  std::size_t bytes_ = 0;
};

/// oneDNN's engine and stream for a CPU backend, and how to make and run primitives. A primitive that
/// one object has made, any other may run: they share the engine, which oneDNN asks for.
///
/// When oneDNN makes a primitive, it divides the work by the number of threads it expects. If
/// OpenMP later starts fewer (OMP_DYNAMIC, OMP_THREAD_LIMIT, OMP_MAX_ACTIVE_LEVELS), parts of the
/// result are never written. So `threads` sets a number that OpenMP grants, and callers keep one
/// primitive for each number of threads.
struct OneDnn {
  dnnl::engine engine{shared_engine()};
  dnnl::stream stream{engine};
  Scratchpad scratchpad;

  static const dnnl::engine& shared_engine();

  /// The number of threads that every parallel region of the calling thread gets from now on.
  static int threads();

  /// With them a primitive uses our scratchpad. oneDNN's own belongs to the thread that made the
  /// primitive, but another thread may run the primitive.
  static dnnl::primitive_attr attributes(const dnnl::post_ops& steps);

  /// Runs a primitive on the calling thread's team.
  void run(const dnnl::primitive& primitive, const dnnl::memory::desc& scratchpad_layout,
           std::unordered_map<int, dnnl::memory> arguments);
};

/// While it lives, parallel regions of the calling thread have one thread.
class OneThread {
 public:
  OneThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;
  ~OneThread() { omp_set_num_threads(before_); }

 private:
  int before_;
};

inline dnnl::memory::data_type onednn_type(DataType type) {
  return type == DataType::bf16 ? dnnl::memory::data_type::bf16 : dnnl::memory::data_type::f32;
}

/// oneDNN's view of an NHWC tensor. oneDNN names dimensions in the order N, C, H, W.
inline dnnl::memory::desc nhwc(const Shape& shape, DataType type) {
  return {{shape.batch, shape.channels, shape.height, shape.width},
          onednn_type(type),
          dnnl::memory::format_tag::nhwc};
}

// oneDNN 2 and 3 differ in how a primitive is described and a layout is asked.

dnnl::memory::dims dims_of(const dnnl::memory::desc& layout);

void append_relu(dnnl::post_ops& steps);

/// c = a·b.
dnnl::matmul::primitive_desc describe_matmul(const dnnl::engine& engine,
                                             const dnnl::memory::desc& a,
                                             const dnnl::memory::desc& b,
                                             const dnnl::memory::desc& c,
                                             const dnnl::primitive_attr& attributes);

/// y = x ∗ filters (+ bias): 3×3, stride 1, zeros one pixel around.
dnnl::convolution_forward::primitive_desc describe_convolution(
    const dnnl::engine& engine, const dnnl::memory::desc& x, const dnnl::memory::desc& filters,
    const std::optional<dnnl::memory::desc>& bias, const dnnl::memory::desc& y,
    const dnnl::primitive_attr& attributes);

}  // namespace impasto::cpu
