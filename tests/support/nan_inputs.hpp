// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "host/check/check.hpp"

namespace impasto::test {

/// What a case makes of a NaN in one of its tensors.
struct NanInput {
  std::size_t tensor = 0;  ///< of Prepared::tensors
  Outputs outputs;
};

/// NaN in the four cells of the first 2×2 pixels, each in a channel of its own, so that each window of
/// a pool has one, in another place. Matrices are symmetric and stay so.
inline void spoil(std::vector<float>& values, const Shape& shape) {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  const std::int64_t C = shape.channels;
  const bool is_matrix = shape.height == 1 && shape.width == C;
  for (std::int64_t cell = 0; cell < 4; ++cell) {
    const std::int64_t row = std::min(cell / 2, shape.height - 1);
    const std::int64_t column = std::min(cell % 2, shape.width - 1);
    const std::int64_t channel = cell % C;
    values[static_cast<std::size_t>((row * shape.width + column) * C + channel)] = nan;
    if (is_matrix) values[static_cast<std::size_t>(channel * C + column)] = nan;
  }
}

/// Runs a case once for each of its tensors that holds numbers before, with NaN in that one. Arrays
/// begin `offset` elements behind an address that suits every vector.
inline std::vector<NanInput> run_with_nan(const OpCase& op_case, Backend& backend, DataType storage,
                                          std::int64_t offset = 0) {
  std::vector<NanInput> runs;
  for (std::size_t i = 0;; ++i) {
    Workbench bench(backend, storage, offset);
    const Prepared prepared = op_case.prepare(backend, bench);
    backend.synchronize();  // a tensor that is passed over takes its memory along
    if (i == prepared.tensors.size()) return runs;
    const Tensor& tensor = prepared.tensors[i];
    if (tensor.type == DataType::i64) continue;  // bits
    std::vector<float> values = bench.read(tensor);
    if (std::isnan(values.front())) continue;  // an output that is not read
    spoil(values, tensor.shape);
    backend.write(tensor, values);
    runs.push_back({i, outputs_of(op_case, backend, bench, prepared)});
  }
}

inline std::int64_t count_nan(const Outputs& outputs) {
  std::int64_t count = 0;
  for (const std::vector<float>& values : outputs) {
    count += std::ranges::count_if(values, [](float value) { return std::isnan(value); });
  }
  return count;
}

/// How many values are NaN in `expected` and a number in `found`.
inline std::int64_t count_lost(const Outputs& found, const Outputs& expected) {
  std::int64_t lost = 0;
  for (std::size_t output = 0; output < expected.size(); ++output) {
    for (std::size_t i = 0; i < expected[output].size(); ++i) {
      lost += std::isnan(expected[output][i]) && !std::isnan(found.at(output).at(i)) ? 1 : 0;
    }
  }
  return lost;
}

}  // namespace impasto::test
