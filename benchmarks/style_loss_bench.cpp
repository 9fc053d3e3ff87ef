// SPDX-License-Identifier: MIT
#include "benchmarks/op_bench.hpp"

namespace impasto::bench {

/// On matrices, which are float in every precision.
void add_style_loss(const SharedBackend& backend, std::int64_t size) {
  if (backend->precision() != Precision::fp32) return;
  for (const std::string_view layer : map_layers) {
    const Shape square = matrix_shape(1, map_at(layer, size).channels);
    add(benchmark_name("style_loss", *backend, layer, size), [=](benchmark::State& state) {
      measure_verified(state, *backend, work::style_loss(square.channels), [=](Backend& on) {
        const DataType type = on.master_type();
        const OwnedTensor gram = uniform(on, square, type, 1.0);
        const OwnedTensor target = uniform(on, square, type, 0.5);
        const OwnedTensor matrix(on, square, type);
        const OwnedTensor loss(on, {}, type);
        return Prepared{[=, &on] { on.style_loss(loss, matrix, gram, target, {}); },
                        {loss, matrix}};
      });
    });
  }
}

}  // namespace impasto::bench
