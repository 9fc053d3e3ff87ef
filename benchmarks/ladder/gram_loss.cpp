// SPDX-License-Identifier: MIT
#include "kernels/gram_loss/gram_loss.hpp"

#include "benchmarks/ladder/arrays.hpp"

namespace impasto::bench::IMPASTO_DEVICE {
namespace {

template <class T>
double limit(const kernels::Rung& rung) {
  return rung.arithmetic == kernels::Arithmetic::tensor_cores && std::is_same_v<T, float> ? 2e-2
                                                                                          : 2e-5;
}

}  // namespace

std::vector<Contender> gram_loss_contenders(Runtime& runtime, const Point& point) {
  return with_storage(point.type, [&]<class T>() {
    const kernels::MapSize size = point.size;
    const kernels::StyleLossScale scale{1.0 / static_cast<double>(size.pixels()), 0.5, 3};
    const std::int64_t C = size.channels;
    const auto values = features<T>(size.count(), 1);
    const std::vector<float> wanted(static_cast<std::size_t>(C * C), 0.125F);
    const Array<T> map(runtime, values);
    const Array<float> target(runtime, wanted);
    const Array<float> loss(runtime, size.batch);
    const Array<float> matrix(runtime, size.batch * C * C);
    const Array<float> workspace(runtime, kernels::IMPASTO_DEVICE::gram_loss_workspace(size));
    const auto expected = std::make_shared<std::vector<double>>(size.batch * C * C);
    const auto expected_loss = std::make_shared<std::vector<double>>(size.batch);
    kernels::reference::gram_loss(expected_loss->data(), expected->data(), widened(values).data(),
                                  widened(wanted).data(), size, scale);

    std::vector<Contender> contenders;
    for (const auto& rung : kernels::IMPASTO_DEVICE::gram_loss_ladder()) {
      if (!kernels::offers<T>(rung.launch)) continue;
      const kernels::Rung& about = rung;
      const auto run = rung.launch.template get<T>();
      const auto launch = [=, &runtime] {
        run(loss.data(), matrix.data(), map.data(), target.data(), size, scale, workspace.data(),
            runtime.stream());
      };
      const auto verify = [=] {
        launch();
        return worse(compare(matrix.values(), *expected, limit<T>(about)),
                     compare(loss.values(), *expected_loss, limit<T>(about)));
      };
      contenders.push_back({about, work::gram_loss(size, point.type),
                            work::gram_loss_traffic(about.name, size, point.type), launch, verify});
    }
    return contenders;
  });
}

}  // namespace impasto::bench::IMPASTO_DEVICE
