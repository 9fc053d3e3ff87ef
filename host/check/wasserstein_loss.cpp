// SPDX-License-Identifier: MIT
#include <cmath>

#include "host/check/operation.hpp"

namespace impasto {
namespace {

/// Products are in float in every precision, and each of 24 iterations rounds. The values on the
/// diagonal of I − X are √C times the root mean square of all, and so are their errors: in PyTorch's
/// float, 1e-4 of it at 128 channels and 4e-4 at 512.
ErrorLimit float_limit(const Shape& map) {
  return {1e-5, 3e-5 * std::sqrt(static_cast<double>(map.channels))};
}

/// Means so small that a matrix of definite() less their product stays definite.
Tensor small_means(Workbench& bench, std::int64_t batch, std::int64_t channels,
                   std::uint32_t seed) {
  const auto scale = static_cast<float>(0.5 / std::sqrt(static_cast<double>(channels)));
  return bench.master({batch, 1, 2, channels}, seed, scale);
}

/// 75 products of 512 channels in double take seconds: only where a layer has as many pixels.
bool too_dear(const Shape& map) { return map.pixels() < map.channels; }

double cubes(const Shape& map) { return work::matrices(map) * static_cast<double>(map.channels); }

std::vector<OpCase> root_cases(const Shape& map, std::int64_t /*out_channels*/,
                               DataType /*storage*/) {
  const Shape square = matrix_shape(1, map.channels);
  if (too_dear(map)) return {};
  return {{.work = {.flops = 72 * cubes(square), .bytes = 8 * work::values(square)},
           .limit = [=](Precision /*precision*/) { return float_limit(map); },
           .prepare = [=](Backend& on, Workbench& bench) -> Prepared {
             const Tensor root = bench.master_output(square);
             const Tensor second_moment = bench.definite(square, 5);
             const Tensor statistics = small_means(bench, 1, map.channels, 6);
             return {[=, &on] { on.covariance_root(root, second_moment, statistics); },
                     {root, second_moment, statistics}};
           }}};
}

std::vector<OpCase> wasserstein_loss_cases(const Shape& map, std::int64_t /*out_channels*/,
                                           DataType /*storage*/) {
  std::vector<OpCase> cases;
  if (too_dear(map)) return cases;
  for (const bool in_place : {false, true}) {
    cases.push_back(
        {.variant = in_place ? "in place" : "beside G",
         .measured = in_place,
         .work = {.flops = 150 * cubes(map), .bytes = 8 * work::matrices(map)},
         .limit = [=](Precision /*precision*/) { return float_limit(map); },
         .prepare = [=](Backend& on, Workbench& bench) -> Prepared {
           const Shape square = matrix_shape(map.batch, map.channels);
           const Shape shared = matrix_shape(1, map.channels);
           const Tensor loss = bench.master_output({.batch = map.batch});
           const Tensor gram = bench.definite(square, 3);
           const Tensor matrix = in_place ? gram : bench.master_output(square);
           const Tensor statistics = small_means(bench, map.batch, map.channels, 4);
           const Tensor coefficients = bench.master_output(statistics.shape);
           const WassersteinTarget target{small_means(bench, 1, map.channels, 6),
                                          bench.definite(shared, 5), bench.definite(shared, 7)};
           const WassersteinScale scale{.moment = 0.5, .mean = 0.7, .loss = 0.25, .gradient = 0.1};
           return {[=, &on] {
                     on.wasserstein_loss(loss, matrix, coefficients, gram, statistics, target,
                                         scale);
                   },
                   {loss, matrix, coefficients, gram, statistics, target.statistics,
                    target.second_moment, target.root},
                   3};
         }});
  }
  return cases;
}

}  // namespace

std::vector<Operation> wasserstein_loss_operations() {
  return {
      {.name = "covariance_root", .layers = style_loss_layers(), .cases = root_cases},
      {.name = "wasserstein_loss", .layers = style_loss_layers(), .cases = wasserstein_loss_cases}};
}

}  // namespace impasto
