// SPDX-License-Identifier: MIT
#include "host/check/operation.hpp"

namespace impasto {
namespace {

constexpr ContentLossScale content_scale{.loss = 0.25, .gradient = 0.5};

work::Work content_loss_work(const Shape& map, double maps, DataType storage) {
  return {.flops = 5 * work::values(map), .bytes = maps * work::bytes(map, storage)};
}

std::vector<OpCase> content_loss_cases(const Shape& map, std::int64_t /*out_channels*/,
                                       DataType storage) {
  std::vector<OpCase> cases = {
      {.variant = "loss alone",
       .work = content_loss_work(map, 2, storage),
       .prepare = [=](Backend& on, Workbench& bench) -> Prepared {
         const Tensor loss = bench.master_output({.batch = map.batch});
         const Tensor features = bench.features(map, 1);
         const Tensor target = bench.features(map, 6);
         return {[=, &on] { on.content_loss(loss, {}, features, target, content_scale, {}); },
                 {loss, features, target}};
       }}};
  for (const GradientEpilogue& epilogue : epilogues) {
    cases.push_back(
        {.variant = describe(epilogue),
         .measured = !epilogue.accumulate && epilogue.relu_mask,
         .epilogue = epilogue,
         .work = content_loss_work(map, epilogue.accumulate ? 4 : 3, storage),
         .prepare = [=](Backend& on, Workbench& bench) -> Prepared {
           const Tensor loss = bench.master_output({.batch = map.batch});
           const Tensor grad = bench.gradient_output(map, epilogue);
           const Tensor features = bench.features(map, 1);
           const Tensor target = bench.features(map, 6);
           return {
               [=, &on] { on.content_loss(loss, grad, features, target, content_scale, epilogue); },
               {loss, grad, features, target},
               2};
         }});
  }
  return cases;
}

}  // namespace

std::vector<Operation> content_loss_operations() {
  return {{.name = "content_loss", .layers = {"conv2_2", "conv4_2"}, .cases = content_loss_cases}};
}

}  // namespace impasto
