// SPDX-License-Identifier: MIT
#include "kernels/upsample/upsample.hpp"

#include "host/check/operation.hpp"

namespace impasto {
namespace {

std::vector<OpCase> add_cases(const Shape& pixels, std::int64_t /*out_channels*/,
                              DataType /*storage*/) {
  return {{.variant = "added",
           .measured = true,
           .work = {.flops = 9 * work::values(pixels), .bytes = 9 * work::values(pixels)},
           .prepare = [=](Backend& on, Workbench& bench) -> Prepared {
             const Tensor y = bench.master(pixels, 12);
             const Tensor x = bench.master(kernels::halved(pixels), 13);
             return {[=, &on] { on.upsample_add(y, x); }, {y, x}};
           }}};
}

std::vector<OpCase> transpose_cases(const Shape& pixels, std::int64_t /*out_channels*/,
                                    DataType /*storage*/) {
  return {{.variant = "written",
           .measured = true,
           .work = {.flops = 8 * work::values(pixels), .bytes = 5 * work::values(pixels)},
           .prepare = [=](Backend& on, Workbench& bench) -> Prepared {
             const Tensor x = bench.master_output(kernels::halved(pixels));
             const Tensor y = bench.master(pixels, 12);
             return {[=, &on] { on.upsample_transpose(x, y); }, {x, y}};
           }}};
}

}  // namespace

std::vector<Operation> upsample_operations() {
  return {{.name = "upsample_add", .layers = {"pixels"}, .on_pixels = true, .cases = add_cases},
          {.name = "upsample_transpose",
           .layers = {"pixels"},
           .on_pixels = true,
           .cases = transpose_cases}};
}

}  // namespace impasto
