// SPDX-License-Identifier: MIT
#include "benchmarks/op_bench.hpp"
#include "host/backend/cpu/dispatch.hpp"
#include "kernels/style_backward/style_backward.hpp"

namespace impasto::bench {
namespace {

/// The mask alone, which the CPU runs as a pass of its own.
void add_relu_mask(const SharedBackend& backend, std::int64_t size, std::string_view layer) {
  const Shape map = map_at(layer, size);
  add(benchmark_name("relu_mask", *backend, layer, size), [=](benchmark::State& state) {
    measure_verified(
        state, *backend, work::relu_mask(map, backend->activation_type()), [=](Backend& on) {
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
          return Prepared{run, {grad}};
        });
  });
}

/// As style_loss gives it.
OwnedTensor symmetric_matrix(Backend& on, std::int64_t channels) {
  OwnedTensor matrix = uniform(on, matrix_shape(1, channels), on.master_type(), 1e-3);
  std::vector<float> values(static_cast<std::size_t>(channels * channels));
  on.read(values, matrix);
  const auto C = static_cast<std::size_t>(channels);
  for (std::size_t i = 0; i < C; ++i) {
    for (std::size_t j = 0; j < i; ++j) values[i * C + j] = values[j * C + i];
  }
  on.write(matrix, values);
  return matrix;
}

}  // namespace

/// Joined to the gradient from above and masked, as below every style layer but the deepest. The
/// sums stay small: the matrix is scaled so that a million of them are still ordinary numbers.
void add_style_backward(const SharedBackend& backend, std::int64_t size) {
  for (const std::string_view layer : map_layers) {
    const Shape map = map_at(layer, size);
    const GradientEpilogue epilogue{.accumulate = true, .relu_mask = true};
    add(benchmark_name("style_backward", *backend, layer, size), [=](benchmark::State& state) {
      const DataType type = backend->activation_type();
      measure_verified(
          state, *backend, work::style_backward(map, type, epilogue), [=](Backend& on) {
            const OwnedTensor f = features(on, map);
            const OwnedTensor matrix = symmetric_matrix(on, map.channels);
            const OwnedTensor grad = uniform(on, map, on.activation_type());
            return Prepared{[=, &on] { on.style_backward(grad, f, matrix, epilogue); }, {grad}};
          });
    });
    if (backend->name() == "cpu") add_relu_mask(backend, size, layer);
  }
}

}  // namespace impasto::bench
