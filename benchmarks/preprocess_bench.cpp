// SPDX-License-Identifier: MIT
#include "benchmarks/op_bench.hpp"
#include "host/backend/cpu/dispatch.hpp"
#include "kernels/preprocess/preprocess.hpp"

namespace impasto::bench {

/// The CPU's kernel, which has a pass of its own before the first convolution.
void add_preprocess(const SharedBackend& backend, std::int64_t size) {
  if (backend->name() != "cpu") return;
  const Shape shape{1, size, size, 3};
  add(fmt::format("preprocess/{}/{}", to_string(backend->precision()), size),
      [=](benchmark::State& state) {
        const DataType type = backend->activation_type();
        const OwnedTensor pixels = uniform(*backend, shape, backend->master_type(), 128);
        const OwnedTensor y(*backend, shape, type);
        cpu::dispatch(type, [&]<class T>(T) {
          measure(state, *backend, work::preprocess(shape, type), [&] {
            kernels::cpu::preprocess(y.tensor.as<T>(), pixels.tensor.as<float>(), vgg_mean,
                                     shape.pixels());
          });
        });
      });
}

}  // namespace impasto::bench
