// SPDX-License-Identifier: MIT
#include "host/check/operation.hpp"

namespace impasto {
namespace {

/// Small enough that a gradient to which F·M is added over and over stays an ordinary number.
constexpr float matrix_scale = 1e-3F;
constexpr float held_scale = 1e-2F;

/// Tensor cores round M too; in 16 bits the gradient is rounded besides, and where the two parts of
/// it cancel, the largest error is many times the usual one.
ErrorLimit limit(Precision precision) {
  ErrorLimit limit = error_limit(precision);
  if (precision == Precision::bf16) limit.worst = 0.2;
  return limit;
}

std::vector<OpCase> cases(const Shape& map, std::int64_t /*out_channels*/, DataType storage) {
  std::vector<OpCase> cases;
  for (const GradientEpilogue& epilogue : epilogues) {
    const double maps = 2 + (epilogue.accumulate ? 1 : 0);  // the mask's features are read anyway
    cases.push_back(
        {.variant = describe(epilogue),
         .measured = epilogue.accumulate && epilogue.relu_mask,  // as below all but the deepest
         .epilogue = epilogue,
         .work = {.flops = 2 * static_cast<double>(map.channels) * work::values(map),
                  .bytes = maps * work::bytes(map, storage) + 4 * work::matrices(map)},
         .limit = limit,
         .prepare = [=](Backend& on, Workbench& bench) -> Prepared {
           const Tensor grad = bench.gradient_output(map, epilogue, held_scale);
           const Tensor features = bench.features(map, 1);
           const Tensor matrix =
               bench.symmetric(matrix_shape(map.batch, map.channels), 4, matrix_scale);
           return {[=, &on] { on.style_backward(grad, features, matrix, epilogue); },
                   {grad, features, matrix}};
         }});
  }
  return cases;
}

}  // namespace

std::vector<Operation> style_backward_operations() {
  return {{.name = "style_backward", .layers = style_loss_layers(), .cases = cases}};
}

}  // namespace impasto
