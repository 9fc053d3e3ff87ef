// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "benchmarks/work.hpp"
#include "kernels/common/ladder.hpp"

namespace impasto::work {

/// What one rung does on one shape, by its own account: nothing is run.
struct RungWork {
  std::string_view op;
  std::string shape;           ///< as rows are named: "conv3_1@512"
  std::string_view precision;  ///< "fp32", "tf32", "bf16"
  kernels::Rung rung;
  bool ships = false;  ///< where no tuning table says otherwise
  double flops = 0;    ///< that it executes
  Traffic traffic;     ///< that it asks of global memory
  Work least;          ///< what the operation needs, whoever does it
};

/// Every rung of every ladder where its operation stands in VGG-19, for a picture of size × size.
std::vector<RungWork> rung_works(std::int64_t size);

}  // namespace impasto::work
