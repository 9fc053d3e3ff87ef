// SPDX-License-Identifier: MIT
#include "benchmarks/op_bench.hpp"
#include "host/backend/cpu/dispatch.hpp"
#include "kernels/preprocess/preprocess.hpp"

namespace impasto::bench {

/// The CPU's kernel, which has a pass of its own before the first convolution.
void add_preprocess(const SharedBackend& backend, std::int64_t size) {
  if (backend->name() != "cpu") return;
  const Shape shape{1, size, size, 3};
  add(benchmark_name("preprocess", *backend, "pixels", size), [=](benchmark::State& state) {
    measure_verified(
        state, *backend, work::preprocess(shape, backend->activation_type()), [=](Backend& on) {
          const OwnedTensor held = uniform(on, shape, on.master_type(), 128);
          const OwnedTensor y(on, shape, on.activation_type());
          const auto run = [=] {
            const Tensor& x = held.tensor;
            if (x.type == DataType::f64) {
              const std::array<double, 3> mean = {vgg_mean[0], vgg_mean[1], vgg_mean[2]};
              kernels::reference::preprocess(y.tensor.as<double>(), x.as<double>(), mean,
                                             shape.pixels());
            } else {
              cpu::dispatch(y.tensor.type, [&]<class T>(T) {
                kernels::cpu::preprocess(y.tensor.as<T>(), x.as<float>(), vgg_mean, shape.pixels());
              });
            }
          };
          return Prepared{run, {y}};
        });
  });
}

}  // namespace impasto::bench
