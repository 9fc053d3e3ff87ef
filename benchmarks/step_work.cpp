// SPDX-License-Identifier: MIT
#include "benchmarks/step_work.hpp"

#include <algorithm>

namespace impasto::bench {

work::Work work_of(const StepKind& step, const Network& network, const PoolKind& pool,
                   const Shape& pixels, DataType type) {
  const auto op = std::ranges::find(operations(), step.operation, &Operation::name);
  require(op != operations().end(), "no operation is called '{}'", step.operation);
  Shape map = pixels;
  std::int64_t out_channels = 0;
  if (step.layer != nullptr) {
    const std::size_t layer = network.layers().index(*step.layer);
    const bool reads = op->widens || step.layer->kind != conv_kind;
    map = network.feature_shape(pixels, reads ? layer - 1 : layer);
    out_channels = network.feature_shape(pixels, layer).channels;
  }
  const auto described = [](const std::optional<GradientEpilogue>& epilogue) {
    return epilogue ? describe(*epilogue) : std::string();
  };
  const std::vector<OpCase> cases = op->cases(map, out_channels, type);
  const auto found = std::ranges::find_if(cases, [&](const OpCase& each) {
    return described(each.epilogue) == described(step.epilogue) &&
           (!each.pool || each.pool == pool);
  });
  require(found != cases.end(), "no case of {} is '{}'", op->name, step.label());
  return found->work;
}

}  // namespace impasto::bench
