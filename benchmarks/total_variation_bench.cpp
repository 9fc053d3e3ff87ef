// SPDX-License-Identifier: MIT
#include "benchmarks/op_bench.hpp"

namespace impasto::bench {

void add_total_variation(const SharedBackend& backend, std::int64_t size) {
  const Shape shape{1, size, size, 3};
  add(benchmark_name("total_variation", *backend, "pixels", size), [=](benchmark::State& state) {
    measure_verified(state, *backend, work::total_variation(shape), [=](Backend& on) {
      const DataType type = on.master_type();
      const OwnedTensor pixels = uniform(on, shape, type, 128);
      const OwnedTensor grad = uniform(on, shape, type);
      const OwnedTensor loss(on, {}, type);
      const VariationScale scale{.loss = 1, .gradient = 1e-3};  // it adds to grad every time
      return Prepared{[=, &on] { on.total_variation(loss, grad, pixels, scale); }, {loss, grad}};
    });
  });
}

}  // namespace impasto::bench
