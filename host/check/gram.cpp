// SPDX-License-Identifier: MIT
#include <cmath>

#include "host/check/operation.hpp"

namespace impasto {
namespace {

/// A rung that keeps one running sum over all pixels errs by more the more there are.
ErrorLimit gram_limit(Precision precision, const Shape& map) {
  ErrorLimit limit = error_limit(precision);
  if (precision == Precision::fp32) {
    const double growth = std::sqrt(static_cast<double>(map.pixels()));
    limit.rms += 3e-8 * growth;
    limit.worst += 3e-7 * growth;
  }
  return limit;
}

/// The work is that of the whole square: no library product makes use of its symmetry.
std::vector<OpCase> gram_cases(const Shape& map, std::int64_t /*out_channels*/, DataType storage) {
  return {{.measured = true,
           .work = {.flops = 2 * static_cast<double>(map.channels) * work::values(map),
                    .bytes = work::bytes(map, storage) + 4 * work::matrices(map)},
           .limit = [=](Precision precision) { return gram_limit(precision, map); },
           .prepare = [=](Backend& on, Workbench& bench) -> Prepared {
             const Tensor gram = bench.master_output(matrix_shape(map.batch, map.channels));
             const Tensor features = bench.features(map, 1);
             return {[=, &on] { on.gram(gram, features); }, {gram, features}};
           }}};
}

}  // namespace

std::vector<Operation> gram_operations() {
  return {{.name = "gram", .layers = style_loss_layers(), .cases = gram_cases}};
}

}  // namespace impasto
