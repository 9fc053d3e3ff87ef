// SPDX-License-Identifier: MIT
#include "benchmarks/op_bench.hpp"

namespace impasto::bench {
namespace {

constexpr GradientEpilogue masked{.accumulate = false, .relu_mask = true};
constexpr PoolKind average{.mode = kernels::PoolMode::average};
constexpr PoolKind max{.mode = kernels::PoolMode::max};

/// The map is x, which is pooled.
MeasuredOp forward(std::string_view name, const PoolKind& kind) {
  return {.name = name,
          .layers = {"conv1_2", "conv2_2", "conv3_4", "conv4_4"},
          .work =
              [=](const Shape& map, DataType type) {
                return work::pool_forward(map, kernels::pooled(map, kind.rounding), type);
              },
          .prepare =
              [=](Backend& on, const Shape& map) {
                const OwnedTensor x = features(on, map);
                const OwnedTensor y(on, kernels::pooled(map, kind.rounding), on.activation_type());
                return Prepared{[=, &on] { on.pool_forward(y, x, kind); }, {y}};
              }};
}

/// It masks, as it does below every pool of VGG-19.
MeasuredOp backward(std::string_view name, const PoolKind& kind) {
  MeasuredOp op = forward(name, kind);
  op.work = [=](const Shape& map, DataType type) {
    return work::pool_backward(map, kernels::pooled(map, kind.rounding), type, kind, masked);
  };
  op.prepare = [=](Backend& on, const Shape& map) {
    const OwnedTensor x = features(on, map);
    const DataType type = on.activation_type();
    const OwnedTensor grad_y = uniform(on, kernels::pooled(map, kind.rounding), type);
    const OwnedTensor grad_x(on, map, type);
    return Prepared{[=, &on] { on.pool_backward(grad_x, grad_y, x, kind, masked); }, {grad_x}};
  };
  return op;
}

}  // namespace

std::vector<MeasuredOp> pool_ops() {
  return {forward("pool_forward_average", average), backward("pool_backward_average", average),
          forward("pool_forward_max", max), backward("pool_backward_max", max)};
}

}  // namespace impasto::bench
