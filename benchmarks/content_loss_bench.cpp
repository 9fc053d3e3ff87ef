// SPDX-License-Identifier: MIT
#include "benchmarks/op_bench.hpp"

namespace impasto::bench {

void add_content_loss(const SharedBackend& backend, std::int64_t size) {
  for (const std::string_view layer : {"conv2_2", "conv4_2"}) {
    const Shape map = map_at(layer, size);
    add(benchmark_name("content_loss", *backend, layer, size), [=](benchmark::State& state) {
      const DataType type = backend->activation_type();
      const OwnedTensor f = features(*backend, map, 1.0);
      const OwnedTensor target = features(*backend, map, 0.5);
      const OwnedTensor grad(*backend, map, type);
      const OwnedTensor loss(*backend, {}, backend->master_type());
      measure(state, *backend, work::content_loss(map, type, {}),
              [&] { backend->content_loss(loss, grad, f, target, {}, {}); });
    });
  }
}

}  // namespace impasto::bench
