// SPDX-License-Identifier: MIT
#include "benchmarks/op_bench.hpp"

#include "benchmarks/program.hpp"

namespace impasto::bench {

Shape map_at(std::string_view layer, std::int64_t size) {
  return Network(PoolKind{}).feature_shape({1, size, size, 3}, vgg19_index(layer));
}

void register_benchmarks(const Settings& settings) {
  for_each_precision(settings, [&](const std::shared_ptr<Backend>& backend) {
    add_preprocess(backend, settings.size);
    add_pool(backend, settings.size);
    add_gram(backend, settings.size);
    add_style_loss(backend, settings.size);
    add_style_backward(backend, settings.size);
    add_content_loss(backend, settings.size);
    if (backend->precision() != Precision::fp32) return;  // the same whatever the precision
    add_total_variation(backend, settings.size);
    add_adam(backend, settings.size);
  });
}

}  // namespace impasto::bench
