// SPDX-License-Identifier: MIT
#include "host/check/operation.hpp"

namespace impasto {
namespace {

/// Small enough that a gradient to which F·M is added over and over stays an ordinary number.
constexpr float matrix_scale = 1e-3F;
constexpr float held_scale = 1e-2F;

/// Tensor cores round M too; in 16 bits the gradient is rounded besides, and where the two parts of
/// it cancel, the largest error is many times the usual one.
ErrorLimit style_backward_limit(Precision precision) {
  ErrorLimit limit = error_limit(precision);
  if (precision == Precision::bf16) limit.worst = 0.2;
  return limit;
}

std::vector<OpCase> style_backward_cases(const Shape& map, std::int64_t /*out_channels*/,
                                         DataType storage) {
  const DataType left = style_matrix_type(storage, DataType::f32);
  std::vector<OpCase> cases;
  const auto add = [&](const GradientEpilogue& epilogue, bool wide) {
    const double maps = 2 + (epilogue.accumulate ? 1 : 0);  // the mask's features are read anyway
    cases.push_back(
        {.variant = describe(epilogue) + (wide ? ", M in float" : ""),
         .measured = !wide && epilogue.accumulate && epilogue.relu_mask,  // as below the deepest
         .epilogue = epilogue,
         .work = {.flops = 2 * static_cast<double>(map.channels) * work::values(map),
                  .bytes = maps * work::bytes(map, storage) +
                           (wide ? 4 : work::width(left)) * work::matrices(map)},
         .limit = style_backward_limit,
         .prepare = [=](Backend& on, Workbench& bench) -> Prepared {
           const Tensor grad = bench.gradient_output(map, epilogue, held_scale);
           const Tensor features = bench.features(map, 1);
           const Shape square = matrix_shape(map.batch, map.channels);
           const Tensor matrix = wide ? bench.symmetric(square, 4, matrix_scale)
                                      : bench.style_matrix(square, 4, matrix_scale);
           return {[=, &on] { on.style_backward(grad, features, matrix, epilogue); },
                   {grad, features, matrix}};
         }});
  };
  for (const GradientEpilogue& epilogue : epilogues) add(epilogue, false);
  // As style_loss and wasserstein_loss leave it, in any precision.
  if (left != DataType::f32) add({true, true}, true);
  return cases;
}

}  // namespace

std::vector<Operation> style_backward_operations() {
  return {{.name = "style_backward", .layers = style_loss_layers(), .cases = style_backward_cases}};
}

}  // namespace impasto
