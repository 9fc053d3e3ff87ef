// SPDX-License-Identifier: MIT
#include "benchmarks/op_bench.hpp"

namespace impasto::bench {

void add_adam(const SharedBackend& backend, std::int64_t size) {
  const Shape shape{1, size, size, 3};
  add(fmt::format("adam/{}", size), [=](benchmark::State& state) {
    const DataType type = backend->master_type();
    const OwnedTensor pixels = uniform(*backend, shape, type, 128);
    const OwnedTensor grad = uniform(*backend, shape, type);
    const OwnedTensor m(*backend, shape, type);
    const OwnedTensor v(*backend, shape, type);
    const OwnedTensor step(*backend, {}, DataType::i64);
    for (const Tensor& tensor : {m.tensor, v.tensor, step.tensor}) backend->fill_zero(tensor);
    measure(state, *backend, work::adam(shape),
            [&] { backend->adam(pixels, m, v, step, grad, AdamOptions{}); });
  });
}

}  // namespace impasto::bench
