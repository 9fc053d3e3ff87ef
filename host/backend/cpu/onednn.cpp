// SPDX-License-Identifier: MIT
#include "host/backend/cpu/onednn.hpp"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <utility>

namespace impasto::cpu {

void* Scratchpad::reserve(std::size_t bytes) {
  constexpr std::size_t alignment = 64;
  if (bytes > bytes_) {
    const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
    memory_.reset();
    bytes_ = 0;
    memory_ = {std::aligned_alloc(alignment, rounded), std::free};
    if (memory_ == nullptr) throw std::bad_alloc();
    bytes_ = rounded;
  }
  return memory_.get();
}

const dnnl::engine& OneDnn::shared_engine() {
  static const dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  return engine;
}

int OneDnn::threads() {
  if (omp_get_dynamic() != 0) omp_set_dynamic(0);
  const int granted = omp_get_max_active_levels() > 0 ? omp_get_thread_limit() : 1;
  if (omp_get_max_threads() > granted) omp_set_num_threads(granted);
  return omp_get_max_threads();
}

dnnl::primitive_attr OneDnn::attributes(const dnnl::post_ops& steps) {
  dnnl::primitive_attr attributes;
  attributes.set_post_ops(steps);
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

void OneDnn::run(const dnnl::primitive& primitive, const dnnl::memory::desc& scratchpad_layout,
                 std::unordered_map<int, dnnl::memory> arguments) {
  void* memory = scratchpad.reserve(scratchpad_layout.get_size());
  arguments.emplace(DNNL_ARG_SCRATCHPAD, dnnl::memory(scratchpad_layout, engine, memory));
  primitive.execute(stream, arguments);
}

#if DNNL_VERSION_MAJOR >= 3

dnnl::memory::dims dims_of(const dnnl::memory::desc& layout) { return layout.get_dims(); }

void append_relu(dnnl::post_ops& steps) {
  steps.append_eltwise(dnnl::algorithm::eltwise_relu, 0.0F, 0.0F);
}

dnnl::matmul::primitive_desc describe_matmul(const dnnl::engine& engine,
                                             const dnnl::memory::desc& a,
                                             const dnnl::memory::desc& b,
                                             const dnnl::memory::desc& c,
                                             const dnnl::primitive_attr& attributes) {
  return {engine, a, b, c, attributes};
}

dnnl::convolution_forward::primitive_desc describe_convolution(
    const dnnl::engine& engine, const dnnl::memory::desc& x, const dnnl::memory::desc& filters,
    const std::optional<dnnl::memory::desc>& bias, const dnnl::memory::desc& y,
    const dnnl::primitive_attr& attributes) {
  const dnnl::memory::dims ones{1, 1};
  return {engine,
          dnnl::prop_kind::forward_inference,
          dnnl::algorithm::convolution_direct,
          x,
          filters,
          bias.value_or(dnnl::memory::desc()),
          y,
          ones,
          ones,
          ones,
          attributes};
}

#else

dnnl::memory::dims dims_of(const dnnl::memory::desc& layout) { return layout.dims(); }

void append_relu(dnnl::post_ops& steps) {
  steps.append_eltwise(1.0F, dnnl::algorithm::eltwise_relu, 0.0F, 0.0F);
}

dnnl::matmul::primitive_desc describe_matmul(const dnnl::engine& engine,
                                             const dnnl::memory::desc& a,
                                             const dnnl::memory::desc& b,
                                             const dnnl::memory::desc& c,
                                             const dnnl::primitive_attr& attributes) {
  return {{a, b, c}, attributes, engine};
}

dnnl::convolution_forward::primitive_desc describe_convolution(
    const dnnl::engine& engine, const dnnl::memory::desc& x, const dnnl::memory::desc& filters,
    const std::optional<dnnl::memory::desc>& bias, const dnnl::memory::desc& y,
    const dnnl::primitive_attr& attributes) {
  const dnnl::memory::dims ones{1, 1};
  return {{dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct, x, filters,
           bias.value_or(dnnl::memory::desc()), y, ones, ones, ones},
          attributes,
          engine};
}

#endif

}  // namespace impasto::cpu
