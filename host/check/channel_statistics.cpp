// SPDX-License-Identifier: MIT
#include "host/check/operation.hpp"

namespace impasto {
namespace {

Shape of_channels(const Shape& map) { return {map.batch, 1, 2, map.channels}; }

std::vector<OpCase> statistics_cases(const Shape& map, std::int64_t /*out_channels*/,
                                     DataType storage) {
  std::vector<OpCase> cases;
  for (const bool weighted : {false, true}) {
    const Shape of_pixels{1, map.height, map.width, 1};
    const double weight_bytes = weighted ? 4 * work::values(of_pixels) : 0;
    cases.push_back(
        {.variant = weighted ? "weighted" : "written",
         .measured = !weighted,
         .work = {.flops = (weighted ? 4 : 3) * work::values(map),
                  .bytes = work::bytes(map, storage) + weight_bytes},
         .prepare = [=](Backend& on, Workbench& bench) -> Prepared {
           const Tensor statistics = bench.master_output(of_channels(map));
           const Tensor features = bench.features(map, 1);
           const Tensor weights = weighted ? bench.master(of_pixels, 2, 0.1F, 1) : Tensor{};
           std::vector<Tensor> tensors = {statistics, features};
           if (weighted) tensors.push_back(weights);
           return {[=, &on] { on.channel_statistics(statistics, features, weights); }, tensors};
         }});
  }
  return cases;
}

/// Reads the statistics and the target, which is one for the whole batch; writes the coefficients.
std::vector<OpCase> statistics_loss_cases(const Shape& map, std::int64_t /*out_channels*/,
                                          DataType /*storage*/) {
  const double both = work::values(of_channels(map));
  const auto target_values = static_cast<double>(2 * map.channels);
  return {{.variant = "loss and coefficients",
           .measured = true,
           .work = {.flops = 6 * both, .bytes = 4 * (2 * both + target_values)},
           .prepare = [=](Backend& on, Workbench& bench) -> Prepared {
             const Tensor loss = bench.master_output({.batch = map.batch});
             const Tensor coefficients = bench.master_output(of_channels(map));
             const Tensor statistics = bench.master(of_channels(map), 3, 0.3F, 1);
             const Tensor target = bench.master({1, 1, 2, map.channels}, 4, 0.3F, 1);
             const StatisticsLossScale scale{.loss = 0.5, .gradient = 0.1};
             return {
                 [=, &on] { on.statistics_loss(loss, coefficients, statistics, target, scale); },
                 {loss, coefficients, statistics, target},
                 2};
           }}};
}

std::vector<OpCase> statistics_backward_cases(const Shape& map, std::int64_t /*out_channels*/,
                                              DataType storage) {
  std::vector<OpCase> cases;
  for (const GradientEpilogue& epilogue : epilogues) {
    const double moved = epilogue.accumulate ? 3 : 2;
    cases.push_back(
        {.variant = describe(epilogue),
         .measured = epilogue.accumulate && epilogue.relu_mask,
         .epilogue = epilogue,
         .work = {.flops = 3 * work::values(map), .bytes = moved * work::bytes(map, storage)},
         .prepare = [=](Backend& on, Workbench& bench) -> Prepared {
           const Tensor grad = bench.gradient_output(map, epilogue);
           const Tensor features = bench.features(map, 1);
           const Tensor coefficients = bench.master(of_channels(map), 5);
           return {[=, &on] { on.statistics_backward(grad, features, coefficients, epilogue); },
                   {grad, features, coefficients}};
         }});
  }
  return cases;
}

}  // namespace

std::vector<Operation> channel_statistics_operations() {
  return {
      {.name = "channel_statistics", .layers = style_loss_layers(), .cases = statistics_cases},
      {.name = "statistics_loss", .layers = style_loss_layers(), .cases = statistics_loss_cases},
      {.name = "statistics_backward",
       .layers = style_loss_layers(),
       .cases = statistics_backward_cases}};
}

}  // namespace impasto
