// SPDX-License-Identifier: MIT
#include "benchmarks/op_bench.hpp"

namespace impasto::bench {

void add_gram(const SharedBackend& backend, std::int64_t size) {
  for (const std::string_view layer : map_layers) {
    const Shape map = map_at(layer, size);
    add(benchmark_name("gram", *backend, layer, size), [=](benchmark::State& state) {
      const OwnedTensor f = features(*backend, map);
      const OwnedTensor gram(*backend, matrix_shape(1, map.channels), backend->master_type());
      measure(state, *backend, work::gram(map, backend->activation_type()),
              [&] { backend->gram(gram, f); });
    });
  }
}

}  // namespace impasto::bench
