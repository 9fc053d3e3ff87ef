// SPDX-License-Identifier: MIT
#include "host/backend/tuning/knob_search.hpp"

#include <algorithm>

namespace impasto {

AlgoId search_knobs(const AlgoId& start, std::span<const Knob> knobs, const TimeAlgos& time,
                    const std::function<bool()>& has_time) {
  std::vector<AlgoId> tried = {start};
  AlgoId fastest = start;
  bool faster = true;
  while (faster) {
    faster = false;
    for (const Knob& knob : knobs) {
      if (!has_time()) return fastest;
      std::vector<AlgoId> beside = {fastest};
      for (const std::int64_t value : knob.values) {
        AlgoId variant = fastest;
        variant.parameters[knob.parameter] = value;
        if (std::find(tried.begin(), tried.end(), variant) != tried.end()) continue;
        tried.push_back(variant);
        beside.push_back(std::move(variant));
      }
      if (beside.size() == 1) continue;
      const std::vector<double> times = time(beside);
      const auto least = std::min_element(times.begin(), times.end()) - times.begin();
      if (least == 0) continue;
      fastest = beside[static_cast<std::size_t>(least)];
      faster = true;
    }
  }
  return fastest;
}

}  // namespace impasto
