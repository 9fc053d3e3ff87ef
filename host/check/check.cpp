// SPDX-License-Identifier: MIT
#include "host/check/check.hpp"

#include <cmath>
#include <limits>

#include "host/core/error.hpp"

namespace impasto {

double error_limit(Precision precision) {
  switch (precision) {
    case Precision::fp32: return 1e-6;
    case Precision::tf32: return 1e-3;
    case Precision::bf16:
    case Precision::fp16: return 1e-2;
  }
  fail(ErrorKind::internal, "unknown precision {}", static_cast<int>(precision));
}

CheckResult compare(const OpCase& op_case, Backend& tested, Backend& expected) {
  const std::vector<float> found = op_case.run(tested);
  const std::vector<float> wanted = op_case.run(expected);
  require(found.size() == wanted.size(), "{} gave {} values, expected {}", op_case.op, found.size(),
          wanted.size());
  double difference = 0;
  double scale = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto want = static_cast<double>(wanted[i]);
    const double off = static_cast<double>(found[i]) - want;
    difference += off * off;
    scale += want * want;
  }
  double error = scale > 0 ? std::sqrt(difference / scale) : std::sqrt(difference);
  if (std::isnan(error)) error = std::numeric_limits<double>::infinity();
  return {op_case.op, op_case.what, error, error_limit(tested.precision())};
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
    for (const OpCase& op_case : op_cases(size.map, size.out_channels, tested.activation_type())) {
      results.push_back(compare(op_case, tested, expected));
      report(results.back());
    }
  }
  return results;
}

}  // namespace impasto
