// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <vector>

#include "host/check/operation.hpp"
#include "kernels/common/ladder.hpp"

namespace impasto::IMPASTO_DEVICE {

/// An operation whose kernel has rungs, and which there are in each precision: float maps' in fp32
/// or, where tensor cores multiply them, in tf32; 16-bit maps' in their own, however they multiply.
/// It is run as the backend runs it, with one rung forced.
struct Ladder {
  Operation op;
  std::map<Precision, std::vector<kernels::Rung>> rungs;
};

/// All of them.
std::vector<Ladder> ladders();

}  // namespace impasto::IMPASTO_DEVICE
