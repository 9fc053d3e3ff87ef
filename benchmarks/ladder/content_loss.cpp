// SPDX-License-Identifier: MIT
#include "kernels/content_loss/content_loss.hpp"

#include "benchmarks/ladder/arrays.hpp"

namespace impasto::bench::IMPASTO_DEVICE {

/// Written, not added, and masked: at the deepest layer of the backward pass.
std::vector<Contender> content_loss_contenders(Runtime& runtime, const Point& point) {
  return with_storage(point.type, [&]<class T>() {
    const kernels::MapSize size = point.size;
    constexpr kernels::GradientEpilogue epilogue{false, true};
    constexpr kernels::ContentLossScale scale{1e-3, 0.5};
    const auto values = features<T>(size.count(), 1);
    const auto wanted = features<T>(size.count(), 2);
    const Array<T> map(runtime, values);
    const Array<T> target(runtime, wanted);
    const Array<T> grad(runtime, size.count());
    const Array<float> loss(runtime, size.batch);
    const Array<double> workspace(runtime, kernels::content_loss_workspace(size));
    const auto expected = std::make_shared<std::vector<double>>(values.size());
    const auto expected_loss = std::make_shared<std::vector<double>>(size.batch);
    kernels::reference::content_loss(expected_loss->data(), expected->data(),
                                     widened(values).data(), widened(wanted).data(), size, scale,
                                     epilogue);

    std::vector<Contender> contenders;
    for (const auto& rung : kernels::IMPASTO_DEVICE::content_loss_ladder()) {
      const kernels::Rung& about = rung;
      const auto run = rung.launch.template get<T>();
      const auto launch = [=, &runtime] {
        run(loss.data(), grad.data(), map.data(), target.data(), size, scale, epilogue,
            workspace.data(), runtime.stream());
      };
      const auto verify = [=] {
        launch();
        return worse(compare(grad.values(), *expected, rounding_limit<T>),
                     compare(loss.values(), *expected_loss, 1e-6));
      };
      contenders.push_back({about, work::content_loss(size, point.type, epilogue),
                            work::content_loss_traffic(rung.name, size, point.type, epilogue),
                            launch, verify});
    }
    return contenders;
  });
}

}  // namespace impasto::bench::IMPASTO_DEVICE
