// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "host/backend/backend.hpp"
#include "host/check/op_cases.hpp"

namespace impasto {

/// How far one operation of a backend is from the other's.
struct CheckResult {
  std::string op;
  std::string what;
  double error = 0;  ///< root mean square of the difference over that of the expected values
  double limit = 0;
  [[nodiscard]] bool passed() const { return error <= limit; }
};

/// The largest relative error allowed: 1e-6 for fp32, 1e-3 for tf32, 1e-2 for bf16 and fp16.
double error_limit(Precision precision);

/// Runs one case on both. A NaN in either output is an infinite error.
CheckResult compare(const OpCase& op_case, Backend& tested, Backend& expected);

/// Every operation at a few sizes like those of a network, odd ones among them; `report` is called
/// with each result as it comes. Takes seconds when `expected` is the reference backend.
std::vector<CheckResult> check_backend(Backend& tested, Backend& expected,
                                       const std::function<void(const CheckResult&)>& report);

}  // namespace impasto
