// SPDX-License-Identifier: MIT
#include "host/check/operation.hpp"

namespace impasto {
namespace {

std::vector<OpCase> adam_cases(const Shape& pixels, std::int64_t /*out_channels*/,
                               DataType /*storage*/) {
  std::vector<OpCase> cases;
  for (const auto form : {kernels::AdamEpsilon::pytorch, kernels::AdamEpsilon::tensorflow}) {
    const bool pytorch = form == kernels::AdamEpsilon::pytorch;
    cases.push_back(
        {.variant = pytorch ? "PyTorch's ε" : "TensorFlow's ε",
         .measured = pytorch,
         .work = {.flops = 12 * work::values(pixels), .bytes = 28 * work::values(pixels)},
         .runs = 3,
         .prepare = [=](Backend& on, Workbench& bench) -> Prepared {
           const Tensor picture = bench.master(pixels, 3, 60, 120);
           const Tensor m = bench.master(pixels, 9, 0);
           const Tensor v = bench.master(pixels, 9, 0);
           const Tensor step = bench.counter();
           const std::array<Tensor, 3> grads = {bench.master(pixels, 11), bench.master(pixels, 12),
                                                bench.master(pixels, 13)};
           const AdamOptions options{.learning_rate = 2,
                                     .decay = {0.5, 2},
                                     .epsilon = 0.1,
                                     .form = form,
                                     .lowest = 0,
                                     .highest = 255};
           return {[=, &on, count = std::size_t{0}]() mutable {
                     on.adam(picture, m, v, step, grads[count++ % 3], options);
                   },
                   {picture, m, v, grads[0]},
                   3};
         }});
  }
  return cases;
}

}  // namespace

std::vector<Operation> adam_operations() {
  return {{.name = "adam", .layers = {"pixels"}, .on_pixels = true, .cases = adam_cases}};
}

}  // namespace impasto
