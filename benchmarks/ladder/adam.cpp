// SPDX-License-Identifier: MIT
#include "kernels/adam/adam.hpp"

#include "benchmarks/ladder/arrays.hpp"

namespace impasto::bench::IMPASTO_DEVICE {

std::vector<Contender> adam_contenders(Runtime& runtime, const Point& point) {
  if (point.type != DataType::f32) return {};
  const std::int64_t count = point.size.count();
  constexpr kernels::AdamOptions options{};
  const auto start = uniform<float>(count, 1, -128, 128);
  const auto gradient = uniform<float>(count, 2, -1, 1);
  const std::vector<float> zeros(start.size(), 0.0F);
  Array<float> pixels(runtime, start);
  Array<float> m(runtime, zeros);
  Array<float> v(runtime, zeros);
  Array<std::int64_t> step(runtime, std::vector<std::int64_t>{0});
  const Array<float> grad(runtime, gradient);
  const Array<float> workspace(runtime, kernels::IMPASTO_DEVICE::adam_workspace);
  const auto expected = std::make_shared<std::vector<double>>(widened(start));
  std::vector<double> wide_m = widened(zeros);
  std::vector<double> wide_v = widened(zeros);
  std::int64_t steps = 0;
  kernels::reference::adam(expected->data(), wide_m.data(), wide_v.data(), &steps,
                           widened(gradient).data(), count, options);

  std::vector<Contender> contenders;
  for (const auto& rung : kernels::IMPASTO_DEVICE::adam_ladder()) {
    const kernels::Rung& about = rung;
    const auto launch = [=, &runtime] {
      rung.launch.f32(pixels.data(), m.data(), v.data(), step.data(), grad.data(), count, options,
                      workspace.data(), runtime.stream());
    };
    const auto verify = [=]() mutable {
      pixels.write(start);
      m.write(zeros);
      v.write(zeros);
      step.write({0});
      launch();
      return compare(pixels.values(), *expected, rounding_limit<float>);
    };
    contenders.push_back(
        {about, work::adam(point.size), work::adam_traffic(rung.name, point.size), launch, verify});
  }
  return contenders;
}

}  // namespace impasto::bench::IMPASTO_DEVICE
