// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "host/engine/run.hpp"

namespace impasto::app {

/// How far something is, on stderr: one line drawn over at most ten times a second on a terminal,
/// elsewhere a line of its own for every tenth of the way or every ten seconds.
class ProgressLine {
 public:
  explicit ProgressLine(bool quiet) : quiet_(quiet) {}
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine() { clear(); }

  /// What is being done before the work itself; on a terminal only.
  void prepare(std::string_view what);
  using Facts = std::function<std::string()>;
  /// `done` is a share of the way, 1 at its end. Asks for the facts only when it is time to show
  /// them.
  void show(double done, const Facts& facts);
  /// Erases the drawn line, so that messages start on a clean one.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;

  void redraw(double done, const Facts& facts);
  void print(double done, const Facts& facts);

  bool quiet_;
  bool drawn_ = false;
  std::optional<Clock::time_point> last_;
  std::int64_t last_tenth_ = -1;
};

/// How far an optimisation is: iterations, their rate, the time left, the losses.
class IterationProgress {
 public:
  IterationProgress(const Config& config, bool quiet) : config_(config), line_(quiet) {}

  void update(const Progress& progress);
  void prepare(std::string_view what) { line_.prepare(what); }
  void clear() { line_.clear(); }

 private:
  void count(const Progress& progress);
  [[nodiscard]] std::string facts(const Progress& progress) const;

  Config config_;
  ProgressLine line_;
  std::int64_t updates_ = 0;
  double seen_seconds_ = 0;     ///< of the last progress
  double seen_work_ = 0;        ///< of the last progress
  double working_seconds_ = 0;  ///< of the iterations that are counted
  double counted_work_ = 0;     ///< of these, as a share of all work
  std::int64_t counted_ = 0;    ///< how many: all but the first, which prepares
};

}  // namespace impasto::app
