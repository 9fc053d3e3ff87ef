// SPDX-License-Identifier: MIT
#include "benchmarks/op_bench.hpp"

namespace impasto::bench {

void add_total_variation(const SharedBackend& backend, std::int64_t size) {
  const Shape shape{1, size, size, 3};
  add(fmt::format("total_variation/{}", size), [=](benchmark::State& state) {
    const DataType type = backend->master_type();
    const OwnedTensor pixels = uniform(*backend, shape, type, 128);
    const OwnedTensor grad = uniform(*backend, shape, type);
    const OwnedTensor loss(*backend, {}, type);
    const VariationScale scale{.loss = 1, .gradient = 1e-3};  // it adds to grad every time
    measure(state, *backend, work::total_variation(shape),
            [&] { backend->total_variation(loss, grad, pixels, scale); });
  });
}

}  // namespace impasto::bench
