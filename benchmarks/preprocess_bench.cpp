// SPDX-License-Identifier: MIT
#include "benchmarks/op_bench.hpp"
#include "host/backend/cpu/dispatch.hpp"
#include "host/model/vgg19.hpp"
#include "kernels/preprocess/preprocess.hpp"

namespace impasto::bench {

/// The CPU's kernel, which has a pass of its own before the first convolution.
std::vector<MeasuredOp> preprocess_ops() {
  const auto prepare = [](Backend& on, const Shape& shape) {
    const OwnedTensor held = uniform(on, shape, on.master_type(), 128);
    const OwnedTensor y(on, shape, on.activation_type());
    const std::int64_t pixels = shape.batch * shape.pixels();
    const auto run = [=] {
      const Tensor& x = held.tensor;
      if (x.type == DataType::f64) {
        const std::array<double, 3> mean = {vgg_mean[0], vgg_mean[1], vgg_mean[2]};
        kernels::reference::preprocess(y.tensor.as<double>(), x.as<double>(), mean, pixels);
      } else {
        cpu::dispatch(y.tensor.type, [&]<class T>(T) {
          kernels::cpu::preprocess(y.tensor.as<T>(), x.as<float>(), vgg_mean, pixels);
        });
      }
    };
    return Prepared{run, {y}};
  };
  return {{.name = "preprocess",
           .layers = {"pixels"},
           .cpu_only = true,
           .work = work::preprocess,
           .prepare = prepare}};
}

}  // namespace impasto::bench
