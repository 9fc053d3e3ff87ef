// SPDX-License-Identifier: MIT
#include "kernels/gram/gram.hpp"

#include "benchmarks/ladder/arrays.hpp"
#include "kernels/gram/ladder.hpp"

namespace impasto::bench::IMPASTO_DEVICE {
namespace {

/// The naive rungs have one running sum over all pixels, whose error grows with their number.
template <class T>
double limit(const kernels::Rung& rung, const kernels::MapSize& size) {
  if (rung.arithmetic == kernels::Arithmetic::tensor_cores && std::is_same_v<T, float>) return 2e-2;
  return 5e-6 + 3e-7 * std::sqrt(static_cast<double>(size.pixels()));
}

}  // namespace

std::vector<Contender> gram_contenders(Runtime& runtime, const Point& point) {
  return with_storage(point.type, [&]<class T>() {
    const kernels::MapSize size = point.size;
    const auto values = features<T>(size.count(), 1);
    const std::int64_t square = size.batch * size.channels * size.channels;
    const Array<T> map(runtime, values);
    const Array<float> gram(runtime, square);
    const Array<float> workspace(runtime, kernels::IMPASTO_DEVICE::gram_workspace(size));
    const auto expected = std::make_shared<std::vector<double>>(square);
    kernels::reference::gram(expected->data(), widened(values).data(), size);

    std::vector<Contender> contenders;
    for (const auto& rung : kernels::IMPASTO_DEVICE::gram_ladder()) {
      if (!kernels::offers<T>(rung.launch)) continue;
      const kernels::Rung& about = rung;
      const auto run = rung.launch.template get<T>();
      const auto launch = [=, &runtime] {
        run(gram.data(), map.data(), size, workspace.data(), runtime.stream());
      };
      const auto verify = [=] {
        launch();
        return compare(gram.values(), *expected, limit<T>(rung, size));
      };
      contenders.push_back({about, work::gram(size, point.type),
                            work::gram_traffic(rung.name, size, point.type), launch, verify});
    }
    return contenders;
  });
}

}  // namespace impasto::bench::IMPASTO_DEVICE
