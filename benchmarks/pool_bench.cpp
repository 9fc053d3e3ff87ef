// SPDX-License-Identifier: MIT
#include "benchmarks/op_bench.hpp"

namespace impasto::bench {
namespace {

constexpr GradientEpilogue masked{.accumulate = false, .relu_mask = true};

void add_mode(const SharedBackend& backend, std::int64_t size, std::string_view layer,
              std::string_view mode, const PoolKind& kind) {
  const Shape x_shape = map_at(layer, size);
  const Shape y_shape = kernels::pooled(x_shape, kind.rounding);
  const DataType type = backend->activation_type();
  add(benchmark_name(fmt::format("pool_forward_{}", mode), *backend, layer, size),
      [=](benchmark::State& state) {
        measure_verified(state, *backend, work::pool_forward(x_shape, y_shape, type),
                         [=](Backend& on) {
                           const OwnedTensor x = features(on, x_shape);
                           const OwnedTensor y(on, y_shape, on.activation_type());
                           return Prepared{[=, &on] { on.pool_forward(y, x, kind); }, {y}};
                         });
      });
  add(benchmark_name(fmt::format("pool_backward_{}", mode), *backend, layer, size),
      [=](benchmark::State& state) {
        measure_verified(state, *backend, work::pool_backward(x_shape, y_shape, type, kind, masked),
                         [=](Backend& on) {
                           const OwnedTensor x = features(on, x_shape);
                           const OwnedTensor grad_y = uniform(on, y_shape, on.activation_type());
                           const OwnedTensor grad_x(on, x_shape, on.activation_type());
                           return Prepared{
                               [=, &on] { on.pool_backward(grad_x, grad_y, x, kind, masked); },
                               {grad_x}};
                         });
      });
}

}  // namespace

/// On the maps that are pooled. The backward pass masks, as it does below every pool of VGG-19.
void add_pool(const SharedBackend& backend, std::int64_t size) {
  for (const std::string_view layer : {"conv1_2", "conv2_2", "conv3_4", "conv4_4"}) {
    add_mode(backend, size, layer, "average", {.mode = kernels::PoolMode::average});
    add_mode(backend, size, layer, "max", {.mode = kernels::PoolMode::max});
  }
}

}  // namespace impasto::bench
