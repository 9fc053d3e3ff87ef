// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "host/engine/run.hpp"

namespace impasto::app {

/// How far the optimisation is, on stderr: one line drawn over at most ten times a second on a
/// terminal, elsewhere a line of its own for every tenth of the way or every ten seconds.
class ProgressLine {
 public:
  ProgressLine(const Config& config, bool quiet);
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine();

  /// What is being done before the first iteration; on a terminal only.
  void prepare(std::string_view what);
  void update(const Progress& progress);
  /// Erases the drawn line, so that messages start on a clean one.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;

  void count(const Progress& progress);
  [[nodiscard]] std::string facts(const Progress& progress) const;
  void redraw(const Progress& progress);
  void print(const Progress& progress);

  Config config_;
  bool quiet_;
  bool drawn_ = false;
  std::optional<Clock::time_point> last_;
  std::int64_t last_tenth_ = -1;
  double seen_seconds_ = 0;     ///< of the last progress
  double seen_work_ = 0;        ///< of the last progress
  double working_seconds_ = 0;  ///< of the iterations that are counted
  double counted_work_ = 0;     ///< of these, as a share of all work
  std::int64_t counted_ = 0;    ///< how many: all but the first, which prepares
};

}  // namespace impasto::app
