// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "host/check/operation.hpp"

namespace impasto {

/// Runs a case on a backend and returns the values of each output.
using Outputs = std::vector<std::vector<float>>;
Outputs outputs_of(const OpCase& op_case, Backend& backend, DataType storage);
/// Runs a prepared case and returns the values of each output.
Outputs outputs_of(const OpCase& op_case, Backend& backend, Workbench& bench,
                   const Prepared& prepared);

/// The error of the output that has the largest one, in the units of ErrorLimit. A NaN on either
/// side is an infinite error.
ErrorLimit error_of(const Outputs& found, const Outputs& expected);

/// How far one operation of a backend is from the other's.
struct CheckResult {
  std::string op;
  std::string what;  ///< shape and variant
  /// The root mean square or the largest difference, whichever is nearer to its limit.
  double error = 0;
  double limit = 0;
  [[nodiscard]] bool passed() const { return error <= limit; }
};
CheckResult judge(const ErrorLimit& error, const ErrorLimit& limit);

/// Runs one case on both backends.
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
