// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "host/check/operation.hpp"

namespace impasto {

/// What a case writes on a backend, each output's values.
using Outputs = std::vector<std::vector<float>>;
Outputs outputs_of(const OpCase& op_case, Backend& backend, DataType storage);
/// The same of what is prepared already; runs it.
Outputs outputs_of(const OpCase& op_case, Backend& backend, Workbench& bench,
                   const Prepared& prepared);

/// How far outputs are from what is expected, in the units of ErrorLimit: of the output that is
/// farthest. A NaN in either is infinitely far.
ErrorLimit error_of(const Outputs& found, const Outputs& expected);

/// How far one operation of a backend is from the other's.
struct CheckResult {
  std::string op;
  std::string what;  ///< shape and variant
  /// Of the root mean square and the worst difference the one that is nearer to its limit.
  double error = 0;
  double limit = 0;
  [[nodiscard]] bool passed() const { return error <= limit; }
};
CheckResult judge(const ErrorLimit& error, const ErrorLimit& limit);

/// Runs one case on both.
CheckResult compare(const OpCase& op_case, Backend& tested, Backend& expected);

/// Calls `each` with every case of every operation at feature maps of `map`, in `storage`;
/// convolutions have `out_channels`, pictures the map's sides.
void for_each_case(
    const Shape& map, std::int64_t out_channels, DataType storage,
    const std::function<void(const std::string& op, const std::string& what, const OpCase&)>& each);

/// Every operation at a few sizes like those of a network, odd ones among them; `report` is called
/// with each result as it comes. Takes seconds when `expected` is the reference backend.
std::vector<CheckResult> check_backend(Backend& tested, Backend& expected,
                                       const std::function<void(const CheckResult&)>& report);

}  // namespace impasto
