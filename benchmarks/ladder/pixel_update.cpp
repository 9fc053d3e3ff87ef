// SPDX-License-Identifier: MIT
#include "kernels/pixel_update/pixel_update.hpp"

#include "benchmarks/ladder/arrays.hpp"
#include "kernels/pixel_update/ladder.hpp"

namespace impasto::bench::IMPASTO_DEVICE {

std::vector<Contender> pixel_update_contenders(Runtime& runtime, const Point& point) {
  if (point.type != DataType::f32) return {};
  const kernels::MapSize size = point.size;
  constexpr kernels::VariationScale variation{1e-3, 1e-3};
  constexpr kernels::AdamOptions options{};
  const auto start = uniform<float>(size.count(), 1, -128, 128);
  const auto gradient = uniform<float>(size.count(), 2, -1, 1);
  const std::vector<float> zeros(start.size(), 0.0F);
  const Array<float> updated(runtime, size.count());
  Array<float> m(runtime, zeros);
  Array<float> v(runtime, zeros);
  Array<std::int64_t> step(runtime, std::vector<std::int64_t>{0});
  const Array<float> loss(runtime, size.batch);
  const Array<float> pixels(runtime, start);
  Array<float> grad(runtime, gradient);
  const Array<double> workspace(runtime, kernels::pixel_update_workspace(size));
  const auto expected = std::make_shared<std::vector<double>>(size.count());
  const auto expected_loss = std::make_shared<std::vector<double>>(size.batch);
  std::vector<double> wide_m = widened(zeros);
  std::vector<double> wide_v = widened(zeros);
  std::int64_t steps = 0;
  kernels::reference::pixel_update(expected->data(), wide_m.data(), wide_v.data(), &steps,
                                   expected_loss->data(), widened(start).data(),
                                   widened(gradient).data(), size, variation, options);

  std::vector<Contender> contenders;
  for (const auto& rung : kernels::IMPASTO_DEVICE::pixel_update_ladder()) {
    const kernels::Rung& about = rung;
    const auto launch = [=, &runtime] {
      rung.launch(updated.data(), m.data(), v.data(), step.data(), loss.data(), pixels.data(),
                  grad.data(), size, variation, options, workspace.data(), runtime.stream());
    };
    const auto verify = [=]() mutable {
      m.write(zeros);
      v.write(zeros);
      step.write({0});
      grad.write(gradient);
      launch();
      return worse(compare(updated.values(), *expected, rounding_limit<float>),
                   compare(loss.values(), *expected_loss, 1e-6));
    };
    contenders.push_back({about, work::pixel_update(size),
                          work::pixel_update_traffic(rung.name, size), launch, verify});
  }
  return contenders;
}

}  // namespace impasto::bench::IMPASTO_DEVICE
