// SPDX-License-Identifier: MIT
#include "benchmarks/op_bench.hpp"

namespace impasto::bench {

void add_adam(const SharedBackend& backend, std::int64_t size) {
  const Shape shape{1, size, size, 3};
  add(benchmark_name("adam", *backend, "pixels", size), [=](benchmark::State& state) {
    measure_verified(state, *backend, work::adam(shape), [=](Backend& on) {
      const DataType type = on.master_type();
      const OwnedTensor pixels = uniform(on, shape, type, 128);
      const OwnedTensor grad = uniform(on, shape, type);
      const OwnedTensor m(on, shape, type);
      const OwnedTensor v(on, shape, type);
      const OwnedTensor step(on, {}, DataType::i64);
      for (const Tensor& tensor : {m.tensor, v.tensor, step.tensor}) on.fill_zero(tensor);
      return Prepared{[=, &on] { on.adam(pixels, m, v, step, grad, AdamOptions{}); },
                      {pixels, m, v}};
    });
  });
}

}  // namespace impasto::bench
