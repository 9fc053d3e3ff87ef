// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace impasto {

/// One way of a library, or of ours, to solve a problem, in the words it is asked for with: an
/// engine with its knobs, an algorithm with its fields. Asked again it does the same, to the bit.
struct Recipe {
  std::string implementation;                      ///< "cuDNN", "own kernel"
  std::map<std::string, std::int64_t> parameters;  ///< {"engine": 5, "knob 3": 1}

  friend bool operator==(const Recipe&, const Recipe&) = default;
};

/// "cuDNN, engine 5, knob 3 1"
std::string to_string(const Recipe& recipe);

/// What one candidate took.
struct Timing {
  Recipe recipe;
  double microseconds = 0;

  friend bool operator==(const Timing&, const Timing&) = default;
};

/// The fastest way found for a problem on one machine, and all that it was measured against.
struct Choice {
  Recipe recipe;
  std::int64_t workspace_bytes = 0;
  std::vector<Timing> timings;  ///< in the order they were tried

  friend bool operator==(const Choice&, const Choice&) = default;
};

}  // namespace impasto
