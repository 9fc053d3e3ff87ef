// SPDX-License-Identifier: MIT
#include "benchmarks/op_bench.hpp"

namespace impasto::bench {

std::vector<MeasuredOp> gram_ops() {
  const auto prepare = [](Backend& on, const Shape& map) {
    const OwnedTensor f = features(on, map);
    const OwnedTensor gram(on, matrix_shape(map.batch, map.channels), on.master_type());
    return Prepared{[=, &on] { on.gram(gram, f); }, {gram}};
  };
  return {{.name = "gram", .layers = at_style_layers(), .work = work::gram, .prepare = prepare}};
}

}  // namespace impasto::bench
