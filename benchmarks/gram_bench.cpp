// SPDX-License-Identifier: MIT
#include "benchmarks/op_bench.hpp"

namespace impasto::bench {

void add_gram(const SharedBackend& backend, std::int64_t size) {
  for (const std::string_view layer : map_layers) {
    const Shape map = map_at(layer, size);
    add(benchmark_name("gram", *backend, layer, size), [=](benchmark::State& state) {
      measure_verified(
          state, *backend, work::gram(map, backend->activation_type()), [=](Backend& on) {
            const OwnedTensor f = features(on, map);
            const OwnedTensor gram(on, matrix_shape(1, map.channels), on.master_type());
            return Prepared{[=, &on] { on.gram(gram, f); }, {gram}};
          });
    });
  }
}

}  // namespace impasto::bench
