// SPDX-License-Identifier: MIT
#include "benchmarks/op_bench.hpp"
#include "host/backend/cpu/dispatch.hpp"
#include "kernels/style_backward/style_backward.hpp"

namespace impasto::bench {
namespace {

/// The mask alone, which the CPU runs as a pass of its own.
void add_relu_mask(const SharedBackend& backend, std::int64_t size, std::string_view layer) {
  const Shape map = map_at(layer, size);
  add(benchmark_name("relu_mask", *backend, layer, size), [=](benchmark::State& state) {
    const OwnedTensor f = features(*backend, map);
    const OwnedTensor grad = uniform(*backend, map, f.tensor.type);
    cpu::dispatch(f.tensor.type, [&]<class T>(T) {
      measure(state, *backend, work::relu_mask(map, f.tensor.type),
              [&] { kernels::cpu::relu_mask(grad.tensor.as<T>(), f.tensor.as<T>(), map.count()); });
    });
  });
}

}  // namespace

/// Joined to the gradient from above and masked, as below every style layer but the deepest. The
/// sums stay small: the matrix is scaled so that a million of them are still ordinary numbers.
void add_style_backward(const SharedBackend& backend, std::int64_t size) {
  for (const std::string_view layer : map_layers) {
    const Shape map = map_at(layer, size);
    const GradientEpilogue epilogue{.accumulate = true, .relu_mask = true};
    add(benchmark_name("style_backward", *backend, layer, size), [=](benchmark::State& state) {
      const DataType type = backend->activation_type();
      const OwnedTensor f = features(*backend, map);
      const OwnedTensor matrix =
          uniform(*backend, matrix_shape(1, map.channels), backend->master_type(), 1e-3);
      const OwnedTensor grad = uniform(*backend, map, type);
      measure(state, *backend, work::style_backward(map, type, epilogue),
              [&] { backend->style_backward(grad, f, matrix, epilogue); });
    });
    if (backend->name() == "cpu") add_relu_mask(backend, size, layer);
  }
}

}  // namespace impasto::bench
