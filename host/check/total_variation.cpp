// SPDX-License-Identifier: MIT
#include "host/check/operation.hpp"

namespace impasto {
namespace {

std::vector<OpCase> total_variation_cases(const Shape& pixels, std::int64_t /*out_channels*/,
                                          DataType /*storage*/) {
  std::vector<OpCase> cases;
  for (const bool with_gradient : {true, false}) {
    cases.push_back(
        {.variant = with_gradient ? "loss and gradient" : "loss alone",
         .measured = with_gradient,
         .work = {.flops = 11 * work::values(pixels), .bytes = 12 * work::values(pixels)},
         .prepare = [=](Backend& on, Workbench& bench) -> Prepared {
           const Tensor loss = bench.master_output({.batch = pixels.batch});
           const Tensor grad = with_gradient ? bench.master(pixels, 8) : Tensor{};
           const Tensor picture = bench.master(pixels, 3, 60, 120);
           // It adds to `grad` every time.
           const VariationScale scale{.loss = 0.5, .gradient = 1e-2};
           return {[=, &on] { on.total_variation(loss, grad, picture, scale); },
                   {loss, with_gradient ? grad : loss, picture},
                   2};
         }});
  }
  return cases;
}

}  // namespace

std::vector<Operation> total_variation_operations() {
  return {{.name = "total_variation",
           .layers = {"pixels"},
           .on_pixels = true,
           .cases = total_variation_cases}};
}

}  // namespace impasto
