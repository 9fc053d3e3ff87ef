// SPDX-License-Identifier: MIT
#include "benchmarks/ladder/arrays.hpp"
#include "kernels/pool/pool.hpp"

namespace impasto::bench::IMPASTO_DEVICE {

/// The point's map is x, the layer below the pool. Written and masked, as no style layer lies
/// there.
std::vector<Contender> pool_backward_contenders(Runtime& runtime, const Point& point) {
  return with_storage(point.type, [&]<class T>() {
    const kernels::MapSize size = point.size;
    constexpr kernels::PoolKind kind{kernels::PoolMode::max, kernels::PoolRounding::up};
    constexpr kernels::GradientEpilogue epilogue{false, true};
    const auto values = features<T>(size.count(), 1);
    const auto gradient = uniform<T>(kernels::pooled(size, kind.rounding).count(), 2, -1, 1);
    const Array<T> x(runtime, values);
    const Array<T> grad_y(runtime, gradient);
    const Array<T> grad_x(runtime, size.count());
    const auto expected = std::make_shared<std::vector<double>>(values.size());
    kernels::reference::pool_backward(expected->data(), widened(gradient).data(),
                                      widened(values).data(), size, kind, epilogue);

    std::vector<Contender> contenders;
    for (const auto& rung : kernels::IMPASTO_DEVICE::pool_backward_ladder()) {
      const kernels::Rung& about = rung;
      const auto run = rung.launch.template get<T>();
      const auto launch = [=, &runtime] {
        run(grad_x.data(), grad_y.data(), x.data(), size, kind, epilogue, runtime.stream());
      };
      const auto verify = [=] {
        launch();
        return compare(grad_x.values(), *expected, rounding_limit<T>);
      };
      const kernels::MapSize y = kernels::pooled(size, kind.rounding);
      contenders.push_back(
          {about, work::pool_backward(size, y, point.type, kind, epilogue),
           work::pool_backward_traffic(rung.name, size, point.type, kind, epilogue), launch,
           verify});
    }
    return contenders;
  });
}

}  // namespace impasto::bench::IMPASTO_DEVICE
