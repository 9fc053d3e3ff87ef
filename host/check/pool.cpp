// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "host/check/operation.hpp"

// The map is x, which is pooled.
namespace impasto {
namespace {

using kernels::PoolMode;
using kernels::PoolRounding;

constexpr std::array<PoolKind, 6> kinds = {{{PoolMode::max, PoolRounding::up},
                                            {PoolMode::max, PoolRounding::down},
                                            {PoolMode::average, PoolRounding::up},
                                            {PoolMode::average, PoolRounding::down},
                                            {PoolMode::l2, PoolRounding::up},
                                            {PoolMode::l2, PoolRounding::down}}};

std::string mode_of(const PoolKind& kind) {
  if (kind.mode == PoolMode::l2) return "l2";
  return kind.mode == PoolMode::max ? "max" : "average";
}

std::string name_of(const PoolKind& kind) {
  return fmt::format("{}, {}", mode_of(kind), kind.rounding == PoolRounding::up ? "up" : "down");
}

bool rounds_up(const PoolKind& kind) { return kind.rounding == PoolRounding::up; }

std::vector<OpCase> pool_forward_cases(const Shape& map, std::int64_t /*out_channels*/,
                                       DataType storage) {
  std::vector<OpCase> cases;
  for (const PoolKind& kind : kinds) {
    const Shape small = kernels::pooled(map, kind.rounding);
    if (small.pixels() == 0) continue;
    cases.push_back({.variant = name_of(kind),
                     .measured = rounds_up(kind),
                     .row = fmt::format("_{}", mode_of(kind)),
                     .pool = kind,
                     .work = {.flops = work::values(map),
                              .bytes = work::bytes(map, storage) + work::bytes(small, storage)},
                     .prepare = [=](Backend& on, Workbench& bench) -> Prepared {
                       const Tensor x = bench.features(map, 1);
                       const Tensor y = bench.map_output(small);
                       return {[=, &on] { on.pool_forward(y, x, kind); }, {y, x}};
                     }});
  }
  return cases;
}

std::vector<OpCase> pool_backward_cases(const Shape& map, std::int64_t /*out_channels*/,
                                        DataType storage) {
  std::vector<OpCase> cases;
  for (const PoolKind& kind : kinds) {
    const Shape small = kernels::pooled(map, kind.rounding);
    if (small.pixels() == 0) continue;
    for (const GradientEpilogue& epilogue : epilogues) {
      // The maximum has to be found again, or the root; an average needs x for the mask alone.
      const bool reads_x = kind.mode != PoolMode::average || epilogue.relu_mask;
      const double maps = 1 + (reads_x ? 1 : 0) + (epilogue.accumulate ? 1 : 0);
      // No style layer lies below a pool: nothing is added to what it writes.
      const bool as_in_vgg = rounds_up(kind) && !epilogue.accumulate && epilogue.relu_mask;
      cases.push_back(
          {.variant = fmt::format("{}, {}", name_of(kind), describe(epilogue)),
           .measured = as_in_vgg,
           .row = fmt::format("_{}", mode_of(kind)),
           .epilogue = epilogue,
           .pool = kind,
           .work = {.flops = work::values(map),
                    .bytes = maps * work::bytes(map, storage) + work::bytes(small, storage)},
           .prepare = [=](Backend& on, Workbench& bench) -> Prepared {
             const Tensor grad_x = bench.gradient_output(map, epilogue);
             const Tensor grad_y = bench.gradient(small, 2);
             const Tensor x = bench.features(map, 1);
             return {[=, &on] { on.pool_backward(grad_x, grad_y, x, kind, epilogue); },
                     {grad_x, grad_y, x}};
           }});
    }
  }
  return cases;
}

bool notes(const Shape& map, const PoolKind& kind) {
  return kind.mode == PoolMode::average && map.channels % 64 == 0;
}
double bits(const Shape& map) { return work::values(map) / 8; }

using Prepare = std::function<Prepared(Backend& on, Workbench& bench)>;

/// As the iterations of 16 bits have them: averages, and x's mask as bits.
std::vector<OpCase> noting(
    const Shape& map, DataType storage, const std::optional<GradientEpilogue>& epilogue,
    const std::function<Prepare(const PoolKind& kind, const Shape& small)>& prepare) {
  std::vector<OpCase> cases;
  for (const PoolKind& kind : kinds) {
    const Shape small = kernels::pooled(map, kind.rounding);
    if (small.pixels() == 0 || !notes(map, kind)) continue;
    cases.push_back(
        {.variant = name_of(kind),
         .measured = rounds_up(kind),
         .epilogue = epilogue,
         .pool = kind,
         .work = {.flops = work::values(map),
                  .bytes = work::bytes(map, storage) + work::bytes(small, storage) + bits(map)},
         .prepare = prepare(kind, small)});
  }
  return cases;
}

std::vector<OpCase> forward_noting(const Shape& map, std::int64_t /*out_channels*/,
                                   DataType storage) {
  return noting(
      map, storage, std::nullopt, [&](const PoolKind& kind, const Shape& small) -> Prepare {
        return [=](Backend& on, Workbench& bench) -> Prepared {
          const Tensor x = bench.features(map, 1);
          const Tensor y = bench.map_output(small);
          const Tensor positive = bench.words(kernels::positive_bits(map));
          return {[=, &on] { on.pool_forward_noting(y, positive, x, kind); }, {y, positive, x}};
        };
      });
}

std::vector<OpCase> backward_noted(const Shape& map, std::int64_t /*out_channels*/,
                                   DataType storage) {
  constexpr GradientEpilogue masked{.relu_mask = true};
  return noting(map, storage, masked, [&](const PoolKind& kind, const Shape& small) -> Prepare {
    return [=](Backend& on, Workbench& bench) -> Prepared {
      const Tensor grad_x = bench.map_output(map);
      const Tensor grad_y = bench.gradient(small, 2);
      const Tensor x = bench.features(map, 1);
      const Tensor y = bench.map_output(small);
      const Tensor positive = bench.words(kernels::positive_bits(map));
      on.pool_forward_noting(y, positive, x, kind);
      return {[=, &on] { on.pool_backward_noted(grad_x, grad_y, positive, x, kind); },
              {grad_x, grad_y, positive, x}};
    };
  });
}

const std::vector<std::string_view> pooled_layers = {"conv1_2", "conv2_2", "conv3_4", "conv4_4"};

}  // namespace

std::vector<Operation> pool_operations() {
  return {{.name = "pool_forward", .layers = pooled_layers, .cases = pool_forward_cases},
          {.name = "pool_backward", .layers = pooled_layers, .cases = pool_backward_cases},
          {.name = "pool_forward_noting", .layers = pooled_layers, .cases = forward_noting},
          {.name = "pool_backward_noted", .layers = pooled_layers, .cases = backward_noted}};
}

}  // namespace impasto
