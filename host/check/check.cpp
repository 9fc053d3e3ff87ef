// SPDX-License-Identifier: MIT
#include "host/check/check.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "host/core/error.hpp"

namespace impasto {

Outputs outputs_of(const OpCase& op_case, Backend& backend, Workbench& bench,
                   const Prepared& prepared) {
  for (int run = 0; run < op_case.runs; ++run) prepared.run();
  backend.synchronize();
  Outputs outputs;
  for (std::size_t i = 0; i < prepared.outputs; ++i) {
    outputs.push_back(bench.read(prepared.tensors[i]));
  }
  return outputs;
}

Outputs outputs_of(const OpCase& op_case, Backend& backend, DataType storage) {
  Workbench bench(backend, storage);
  return outputs_of(op_case, backend, bench, op_case.prepare(backend, bench));
}

ErrorLimit error_of(const Outputs& found, const Outputs& expected) {
  require(found.size() == expected.size(), "{} outputs, expected {}", found.size(),
          expected.size());
  ErrorLimit farthest;
  for (std::size_t output = 0; output < expected.size(); ++output) {
    require(found[output].size() == expected[output].size(), "{} values, expected {}",
            found[output].size(), expected[output].size());
    double differences = 0;
    double squares = 0;
    double worst = 0;
    for (std::size_t i = 0; i < expected[output].size(); ++i) {
      const auto wanted = static_cast<double>(expected[output][i]);
      double off = std::abs(static_cast<double>(found[output][i]) - wanted);
      if (std::isnan(off)) off = std::numeric_limits<double>::infinity();
      differences += off * off;
      squares += wanted * wanted;
      worst = std::max(worst, off);
    }
    const auto count = static_cast<double>(expected[output].size());
    const double scale = squares > 0 ? std::sqrt(squares / count) : 1;
    farthest.rms = std::max(farthest.rms, std::sqrt(differences / count) / scale);
    farthest.worst = std::max(farthest.worst, worst / scale);
  }
  return farthest;
}

CheckResult judge(const ErrorLimit& error, const ErrorLimit& limit) {
  CheckResult result;
  result.error = error.rms;
  result.limit = limit.rms;
  if (error.worst * limit.rms > error.rms * limit.worst) {
    result.error = error.worst;
    result.limit = limit.worst;
  }
  return result;
}

CheckResult compare(const OpCase& op_case, Backend& tested, Backend& expected) {
  const DataType storage = tested.activation_type();
  return judge(
      error_of(outputs_of(op_case, tested, storage), outputs_of(op_case, expected, storage)),
      op_case.limit(tested.precision()));
}

void for_each_case(const Shape& map, std::int64_t out_channels, DataType storage,
                   const std::function<void(const std::string& op, const std::string& what,
                                            const OpCase&)>& each) {
  for (const Operation& op : operations()) {
    const Shape shape = op.on_pixels ? with_channels(map, 3) : map;
    for (const OpCase& op_case : op.cases(shape, out_channels, storage)) {
      each(std::string(op.name),
           to_string(shape) + (op_case.variant.empty() ? "" : ", ") + op_case.variant, op_case);
    }
  }
}

std::vector<CheckResult> check_backend(Backend& tested, Backend& expected,
                                       const std::function<void(const CheckResult&)>& report) {
  struct Size {
    Shape map;
    std::int64_t out_channels;
  };
  const std::vector<Size> sizes = {
      {{1, 48, 64, 64}, 64}, {{2, 23, 17, 64}, 128}, {{1, 7, 5, 256}, 256}, {{1, 1, 1, 16}, 32}};
  std::vector<CheckResult> results;
  for (const Size& size : sizes) {
    for_each_case(size.map, size.out_channels, tested.activation_type(),
                  [&](const std::string& op, const std::string& what, const OpCase& op_case) {
                    CheckResult result = compare(op_case, tested, expected);
                    result.op = op;
                    result.what = what;
                    results.push_back(result);
                    report(result);
                  });
  }
  return results;
}

}  // namespace impasto
