// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "host/backend/backend.hpp"

namespace impasto {

/// One operation at one size on inputs made from a seed. Run on two backends it shows whether they
/// compute the same; every output starts as NaN, so a value left unwritten shows too.
struct OpCase {
  std::string op;    ///< the stem: "gram"
  std::string what;  ///< the size and variant: "2×17×23×64, max, up, masked"
  std::function<std::vector<float>(Backend&)> run;
};

/// Every operation and variant of the interface at feature maps of `map`, whose channels are the
/// input's; convolutions have `out_channels`. Inputs are rounded to `storage` first, so that a
/// backend of less precision gets the very numbers the other one gets.
std::vector<OpCase> op_cases(const Shape& map, std::int64_t out_channels, DataType storage);

}  // namespace impasto
