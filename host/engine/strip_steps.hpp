// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "host/backend/communicator.hpp"
#include "host/backend/strips.hpp"
#include "host/engine/tiling.hpp"
#include "host/model/schedule.hpp"

namespace impasto {

// Steps of a schedule in which the devices of one picture, each with a strip of it, meet. All have these
// steps in the same order.

/// Appends what fills the halo of a strip's map with its neighbours' own rows.
void add_handover(Schedule& schedule, Communicator& ranks, const VggLayer* layer, TensorId map,
                  const StripRows& rows);

/// The transpose: appends what adds the gradient in halos to the own rows that they hold, the rank's above
/// first, and sets it to 0 there.
void add_handover_backward(Schedule& schedule, Communicator& ranks, const VggLayer* layer,
                           TensorId grad, const StripRows& rows);

/// A tensor in the master type, or one image of it.
struct Summand {
  TensorId tensor;
  std::optional<std::int64_t> image = {};
};
/// Appends what replaces tensors by their sums over all ranks, in the order of the ranks: each gets the
/// same bits.
void add_sums_over_ranks(Schedule& schedule, Communicator& ranks,
                         const std::vector<Summand>& summands);

/// Appends what replaces tensors by the first rank's.
void add_broadcast(Schedule& schedule, Communicator& ranks, const std::vector<TensorId>& tensors);

/// Appends what brings the strips of all ranks together in pictures that hold the rank's own.
void add_gathering(Schedule& schedule, const Strips& strips, TensorId pictures);

}  // namespace impasto
