// SPDX-License-Identifier: MIT
#include "benchmarks/op_bench.hpp"

namespace impasto::bench {

void add_content_loss(const SharedBackend& backend, std::int64_t size) {
  for (const std::string_view layer : {"conv2_2", "conv4_2"}) {
    const Shape map = map_at(layer, size);
    add(benchmark_name("content_loss", *backend, layer, size), [=](benchmark::State& state) {
      measure_verified(state, *backend, work::content_loss(map, backend->activation_type(), {}),
                       [=](Backend& on) {
                         const OwnedTensor f = features(on, map, 1.0);
                         const OwnedTensor target = features(on, map, 0.5);
                         const OwnedTensor grad(on, map, on.activation_type());
                         const OwnedTensor loss(on, {}, on.master_type());
                         return Prepared{
                             [=, &on] { on.content_loss(loss, grad, f, target, {}, {}); },
                             {loss, grad}};
                       });
    });
  }
}

}  // namespace impasto::bench
