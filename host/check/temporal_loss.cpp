// SPDX-License-Identifier: MIT
#include "host/check/operation.hpp"

namespace impasto {
namespace {

std::vector<OpCase> temporal_loss_cases(const Shape& pixels, std::int64_t /*out_channels*/,
                                        DataType /*storage*/) {
  std::vector<OpCase> cases;
  for (const bool with_gradient : {true, false}) {
    cases.push_back(
        {.variant = with_gradient ? "loss and gradient" : "loss alone",
         .measured = with_gradient,
         .work = {.flops = 6 * work::values(pixels),
                  .bytes = (with_gradient ? 16 : 8) * work::values(pixels) +
                           4 * work::values(pixels) / 3},
         .prepare = [=](Backend& on, Workbench& bench) -> Prepared {
           const Tensor loss = bench.master_output({.batch = pixels.batch});
           const Tensor grad = with_gradient ? bench.master(pixels, 8) : Tensor{};
           const Tensor picture = bench.master(pixels, 3, 60, 120);
           const Tensor target = bench.master(pixels, 4, 60, 120);
           const Tensor mask =
               bench.master({pixels.batch, pixels.height, pixels.width, 1}, 5, 0.2F, 0.5F);
           // It adds to `grad` every time.
           const TemporalLossScale scale{.loss = 0.5, .gradient = 1e-2};
           return {[=, &on] { on.temporal_loss(loss, grad, picture, target, mask, scale); },
                   {loss, with_gradient ? grad : loss, picture, target, mask},
                   2};
         }});
  }
  return cases;
}

}  // namespace

std::vector<Operation> temporal_loss_operations() {
  return {{.name = "temporal_loss",
           .layers = {"pixels"},
           .on_pixels = true,
           .cases = temporal_loss_cases}};
}

}  // namespace impasto
