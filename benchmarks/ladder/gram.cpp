// SPDX-License-Identifier: MIT
#include "kernels/gram/gram.hpp"

#include "benchmarks/ladder/arrays.hpp"
#include "benchmarks/ladder/libraries.hpp"

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
    const auto add = [&](const kernels::Rung& about, const work::Traffic& traffic,
                         const std::function<void()>& launch) {
      const auto verify = [=] {
        launch();
        return compare(gram.values(), *expected, limit<T>(about, size));
      };
      contenders.push_back({about, work::gram(size, point.type), traffic, launch, verify});
    };
    const Tensor result{gram.data(), matrix_shape(size.batch, size.channels), DataType::f32};
    for (const auto& library : gram_libraries(runtime, result, {map.data(), size, point.type})) {
      add(library.rung, {}, [launch = library.launch, map, gram] { launch(); });
    }
    for (const auto& rung : kernels::IMPASTO_DEVICE::gram_ladder()) {
      if (!kernels::offers<T>(rung.launch)) continue;
      const auto run = rung.launch.template get<T>();
      add(rung, work::gram_traffic(rung.name, size, point.type), [=, &runtime] {
        run(gram.data(), map.data(), size, workspace.data(), runtime.stream());
      });
    }
    return contenders;
  });
}

}  // namespace impasto::bench::IMPASTO_DEVICE
