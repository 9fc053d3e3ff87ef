// SPDX-License-Identifier: MIT
#include "benchmarks/op_bench.hpp"

namespace impasto::bench {

/// On matrices, which are float in every precision.
void add_style_loss(const SharedBackend& backend, std::int64_t size) {
  if (backend->precision() != Precision::fp32) return;
  for (const std::string_view layer : map_layers) {
    const Shape square = matrix_shape(1, map_at(layer, size).channels);
    add(benchmark_name("style_loss", *backend, layer, size), [=](benchmark::State& state) {
      const DataType type = backend->master_type();
      const OwnedTensor gram = uniform(*backend, square, type, 1.0);
      const OwnedTensor target = uniform(*backend, square, type, 0.5);
      const OwnedTensor matrix(*backend, square, type);
      const OwnedTensor loss(*backend, {}, type);
      measure(state, *backend, work::style_loss(square.channels),
              [&] { backend->style_loss(loss, matrix, gram, target, {}); });
    });
  }
}

}  // namespace impasto::bench
