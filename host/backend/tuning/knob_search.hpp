// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "host/backend/tuning/plan_cache.hpp"

namespace impasto {

/// A parameter of an algorithm that can be chosen, and its values. Not every combination of several
/// knobs' values need exist.
struct Knob {
  std::string parameter;  ///< as in AlgoId
  std::vector<std::int64_t> values;

  friend bool operator==(const Knob&, const Knob&) = default;
};

/// The times of algorithms in their order, measured together; failed_timing for one that does not
/// exist or is not to be taken.
using TimeAlgos = std::function<std::vector<double>(std::span<const AlgoId>)>;

/// Starts from an algorithm and goes through its knobs, one after the other: all values of a knob
/// are timed beside the fastest algorithm so far, which the fastest of them then replaces. It goes
/// round until no knob makes a difference, or `has_time`, asked before each knob, says no. No
/// algorithm but the fastest so far is timed twice. That finds the best in each direction, and not
/// always the best of all, whose number is the product of the numbers of values.
AlgoId search_knobs(const AlgoId& start, std::span<const Knob> knobs, const TimeAlgos& time,
                    const std::function<bool()>& has_time);

}  // namespace impasto
