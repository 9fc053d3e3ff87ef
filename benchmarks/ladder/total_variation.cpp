// SPDX-License-Identifier: MIT
#include "kernels/total_variation/total_variation.hpp"

#include "benchmarks/ladder/arrays.hpp"

namespace impasto::bench::IMPASTO_DEVICE {

std::vector<Contender> total_variation_contenders(Runtime& runtime, const Point& point) {
  if (point.type != DataType::f32) return {};
  const kernels::MapSize size = point.size;
  constexpr kernels::VariationScale scale{1e-3, 1e-3};
  const auto values = uniform<float>(size.count(), 1, -128, 128);
  const auto held = uniform<float>(size.count(), 2, -1, 1);
  const Array<float> pixels(runtime, values);
  Array<float> grad(runtime, held);
  const Array<float> loss(runtime, size.batch);
  const Array<double> workspace(runtime, kernels::total_variation_workspace(size));
  const auto expected = std::make_shared<std::vector<double>>(widened(held));
  const auto expected_loss = std::make_shared<std::vector<double>>(size.batch);
  kernels::reference::total_variation(expected_loss->data(), expected->data(),
                                      widened(values).data(), size, scale);

  std::vector<Contender> contenders;
  for (const auto& rung : kernels::IMPASTO_DEVICE::total_variation_ladder()) {
    const kernels::Rung& about = rung;
    const auto launch = [=, &runtime] {
      rung.launch.f32(loss.data(), grad.data(), pixels.data(), size, scale, workspace.data(),
                      runtime.stream());
    };
    const auto verify = [=]() mutable {
      grad.write(held);
      launch();
      return worse(compare(grad.values(), *expected, rounding_limit<float>),
                   compare(loss.values(), *expected_loss, 1e-6));
    };
    contenders.push_back({about, work::total_variation(size),
                          work::total_variation_traffic(rung.name, size), launch, verify});
  }
  return contenders;
}

}  // namespace impasto::bench::IMPASTO_DEVICE
