// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "host/check/operation.hpp"
#include "kernels/common/ladder.hpp"

namespace impasto::bench::IMPASTO_DEVICE {

/// A rung, and the types of maps that it has launchers for.
struct LadderRung {
  kernels::Rung about;
  bool f32 = false;
  bool bf16 = false;
  bool fp16 = false;

  [[nodiscard]] bool offers(DataType type) const {
    return type == DataType::bf16 ? bf16 : type == DataType::fp16 ? fp16 : f32;
  }
};

/// An operation whose kernel has rungs. It is run as the backend runs it, with one rung forced.
struct Ladder {
  Operation op;
  std::vector<LadderRung> rungs;
};

/// All of them.
std::vector<Ladder> ladders();

}  // namespace impasto::bench::IMPASTO_DEVICE
