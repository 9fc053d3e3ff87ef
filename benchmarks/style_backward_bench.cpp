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

/// As style_loss gives them, one for each image.
OwnedTensor symmetric_matrices(Backend& on, const Shape& map) {
  OwnedTensor matrices = uniform(on, matrix_shape(map.batch, map.channels), on.master_type(), 1e-3);
  const auto C = static_cast<std::size_t>(map.channels);
  std::vector<float> values(static_cast<std::size_t>(map.batch) * C * C);
  on.read(values, matrices);
  for (std::size_t first = 0; first < values.size(); first += C * C) {
    for (std::size_t i = 0; i < C; ++i) {
      for (std::size_t j = 0; j < i; ++j) values[first + i * C + j] = values[first + j * C + i];
    }
  }
  on.write(matrices, values);
  return matrices;
}

constexpr GradientEpilogue joined{.accumulate = true, .relu_mask = true};

/// Joined to the gradient from above and masked, as below every style layer but the deepest. The
/// sums stay small: the matrix is scaled so that a million of them are still ordinary numbers.
Prepared prepare_style_backward(Backend& on, const Shape& map) {
  const OwnedTensor f = features(on, map);
  const OwnedTensor matrices = symmetric_matrices(on, map);
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
