// SPDX-License-Identifier: MIT
#include "host/check/operation.hpp"

namespace impasto {
namespace {

std::vector<OpCase> descent_cases(const Shape& pixels, std::int64_t /*out_channels*/,
                                  DataType /*storage*/) {
  return {{.variant = "decaying",
           .measured = true,
           .work = {.flops = 2 * work::values(pixels), .bytes = 12 * work::values(pixels)},
           .runs = 3,
           .prepare = [=](Backend& on, Workbench& bench) -> Prepared {
             const Tensor picture = bench.master(pixels, 3, 60, 120);
             const Tensor step = bench.counter();
             const Tensor grad = bench.master(pixels, 11);
             const DescentOptions options{
                 .learning_rate = 30, .decay = {0.5, 2}, .lowest = 0, .highest = 255};
             return {[=, &on] { on.descent(picture, step, grad, options); }, {picture, grad}};
           }}};
}

}  // namespace

std::vector<Operation> descent_operations() {
  return {{.name = "descent", .layers = {"pixels"}, .on_pixels = true, .cases = descent_cases}};
}

}  // namespace impasto
