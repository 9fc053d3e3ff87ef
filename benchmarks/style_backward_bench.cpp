// SPDX-License-Identifier: MIT
#include "benchmarks/op_bench.hpp"
#include "host/backend/cpu/dispatch.hpp"
#include "kernels/style_backward/style_backward.hpp"

namespace impasto::bench {
namespace {

/// The mask alone, which the CPU runs as a pass of its own.
Prepared prepare_mask(Backend& on, const Shape& map) {
  const OwnedTensor f = features(on, map);
  const OwnedTensor grad = uniform(on, map, f.tensor.type);
  const auto run = [=] {
    if (f.tensor.type == DataType::f64) {
      for (std::int64_t i = 0; i < map.count(); ++i) {
        if (!(f.tensor.as<double>()[i] > 0)) grad.tensor.as<double>()[i] = 0;
      }
    } else {
      cpu::dispatch(f.tensor.type, [&]<class T>(T) {
        kernels::cpu::relu_mask(grad.tensor.as<T>(), f.tensor.as<T>(), map.count());
      });
    }
  };
  return {run, {grad}};
}

constexpr GradientEpilogue joined{.accumulate = true, .relu_mask = true};

/// Joined to the gradient from above and masked, as below every style layer but the deepest. The
/// sums stay small: the matrix is scaled so that a million of them are still ordinary numbers.
Prepared prepare_style_backward(Backend& on, const Shape& map) {
  const OwnedTensor f = features(on, map);
  const OwnedTensor matrices = symmetric(on, matrix_shape(map.batch, map.channels), 1e-3);
  const OwnedTensor grad = uniform(on, map, on.activation_type());
  return {[=, &on] { on.style_backward(grad, f, matrices, joined); }, {grad}};
}

}  // namespace

std::vector<MeasuredOp> style_backward_ops() {
  return {{.name = "style_backward",
           .layers = at_style_layers(),
           .work = [](const Shape& map,
                      DataType type) { return work::style_backward(map, type, joined); },
           .prepare = prepare_style_backward},
          {.name = "relu_mask",
           .layers = at_style_layers(),
           .cpu_only = true,
           .work = work::relu_mask,
           .prepare = prepare_mask}};
}

}  // namespace impasto::bench
