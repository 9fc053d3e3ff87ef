// SPDX-License-Identifier: MIT
// A ladder for the ladders' program: one of its rungs is wrong, which must not be shown, and one
// reads everything twice, which its counts must show. The kernel is traced.
#include "host/check/ladders.hpp"
#include "kernels/common/tuning.hpp"
#include "simt/launch.hpp"

namespace impasto::emulated {
namespace {

__global__ void copy_kernel(float* y, const float* x, int count, int times, float factor) {
  const auto i = static_cast<int>(threadIdx.x);
  if (i >= count) return;
  float value = 0;
  for (int time = 0; time < times; ++time) value = *static_cast<const volatile float*>(x + i);
  y[i] = factor * value;
}

Prepared prepare(const Shape& map, Backend& on, Workbench& bench) {
  const Tensor y = bench.master_output(map);
  const Tensor x = bench.master(map, 1);
  const auto run = [=, &on] {
    if (on.name() == "reference") return on.copy(y, x);
    const std::string_view rung = kernels::ForcedRung::of("nothing");
    simt::launch(copy_kernel, {"copy", {1}, {32}}, nullptr, y.as<float>(),
                 static_cast<const float*>(x.as<float>()), static_cast<int>(map.count()),
                 rung == "rung_3_wasteful" ? 2 : 1, rung == "rung_2_wrong" ? -1.0F : 1.0F);
  };
  return {run, {y, x}};
}

std::vector<OpCase> cases(const Shape& map, std::int64_t /*out_channels*/, DataType /*storage*/) {
  return {{.measured = true, .work = {1, 1}, .prepare = [=](Backend& on, Workbench& bench) {
             return prepare(map, on, bench);
           }}};
}

}  // namespace

std::vector<Ladder> ladders() {
  return {
      {{.name = "nothing", .cases = cases},
       {{Precision::fp32, {{"rung_1_right", ""}, {"rung_2_wrong", ""}, {"rung_3_wasteful", ""}}}}}};
}

}  // namespace impasto::emulated
