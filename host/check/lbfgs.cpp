// SPDX-License-Identifier: MIT
#include "host/check/operation.hpp"

namespace impasto {
namespace {

/// Steps under a gradient that falls each time, as it does towards a minimum, and is disturbed a
/// little: y·s is then far from 0, so that every pair is kept and rounding is not magnified.
std::vector<OpCase> lbfgs_cases(const Shape& pixels, std::int64_t /*out_channels*/,
                                DataType /*storage*/) {
  constexpr std::int64_t history = 2;
  constexpr double vectors = 2 * history;  // of the pairs, read twice
  Shape pairs = pixels;
  pairs.batch *= kernels::lbfgs_vectors(history);
  return {{.variant = "from the first step",
           .measured = true,
           .work = {.flops = (8 * vectors + 8) * work::values(pixels),
                    .bytes = 4 * (2 * vectors + 9) * work::values(pixels)},
           .runs = 4,
           .prepare = [=](Backend& on, Workbench& bench) -> Prepared {
             const Tensor x = bench.master(pixels, 3, 60);
             const Tensor kept = bench.master(pairs, 12);
             const Tensor direction = bench.master(pixels, 13);
             const Tensor last = bench.master(pixels, 14);
             const Tensor grad = bench.master_output(pixels);
             const std::array<Tensor, 2> disturbances = {bench.master(pixels, 15, 1),
                                                         bench.master(pixels, 16, 1)};
             const Tensor scalars = bench.doubles(
                 {.batch = pixels.batch, .channels = kernels::lbfgs_state_values(history)});
             const LbfgsOptions options{.learning_rate = 0.5, .history = history};
             return {[=, &on, count = std::size_t{0}]() mutable {
                       on.axpby(grad, 0.6 / static_cast<double>(2 + count), x, 0);
                       on.axpby(grad, 1, disturbances[count++ % 2], 1);
                       on.lbfgs(x, kept, direction, last, scalars, grad, {}, {}, options, {});
                     },
                     {x, direction, last, grad, disturbances[0]},
                     3};
           }}};
}

}  // namespace

std::vector<Operation> lbfgs_operations() {
  return {{.name = "lbfgs", .layers = {"pixels"}, .on_pixels = true, .cases = lbfgs_cases}};
}

}  // namespace impasto
