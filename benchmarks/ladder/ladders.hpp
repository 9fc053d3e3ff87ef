// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <vector>

#include "host/check/operation.hpp"
#include "kernels/common/ladder.hpp"

namespace impasto::bench::IMPASTO_DEVICE {

/// An operation whose kernel has rungs, and which there are for maps of each type. It is run as the
/// backend runs it, with one rung forced.
struct Ladder {
  Operation op;
  std::map<DataType, std::vector<kernels::Rung>> rungs;
};

/// All of them.
std::vector<Ladder> ladders();

}  // namespace impasto::bench::IMPASTO_DEVICE
