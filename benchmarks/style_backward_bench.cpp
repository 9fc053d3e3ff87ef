// SPDX-License-Identifier: MIT
#include "benchmarks/op_bench.hpp"

namespace impasto::bench {

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
  }
}

}  // namespace impasto::bench
