// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "host/app/log.hpp"
#include "host/app/progress.hpp"
#include "host/app/settings.hpp"

namespace impasto::app {

/// How many items of a run there are, and what became of them.
struct BatchCounts {
  std::int64_t total = 0;
  std::int64_t done = 0;
  std::int64_t failed = 0;

  [[nodiscard]] std::int64_t missing() const { return total - done - failed; }
};

/// What a batch tells while it runs: the progress line, the log, JSON on stdout and the metrics
/// file.
class BatchReport {
 public:
  /// `counts` is what earlier runs did. Throws ErrorKind::output for a log that cannot be opened.
  BatchReport(const Settings& settings, const BatchCounts& counts,
              const std::vector<std::string>& devices);

  void prepare(std::string_view what) { line_.prepare(what); }
  /// The record of an item that is done, or has failed.
  void done(const Json& record);
  void failed(const Json& record);
  /// How many seconds a device has computed so far.
  void busy(std::size_t device, double seconds);
  /// Something that is no item's.
  void note(const std::string& message);
  /// The last words. `ending` is "finished", "stopped" or "failed".
  void finish(std::string_view ending);

  [[nodiscard]] const BatchCounts& counts() const { return counts_; }
  /// The log's failure, if there was one.
  [[nodiscard]] const std::optional<Error>& failure() const { return log_.failure(); }

 private:
  /// What was asked of a device, and how much of the time it computed.
  struct Use {
    std::string device;
    double busy = 0;  ///< seconds
  };

  void tell(std::string_view event, const Json& record);
  void show();
  void keep_metrics();
  void write_metrics();
  [[nodiscard]] std::string facts() const;
  [[nodiscard]] double seconds() const;
  [[nodiscard]] double rate() const;
  [[nodiscard]] std::vector<double> shares(double elapsed) const;
  [[nodiscard]] std::string use_in_words(std::size_t room) const;
  [[nodiscard]] Json use(double elapsed) const;

  const Settings& settings_;
  BatchCounts counts_;
  std::vector<Use> uses_;
  std::int64_t done_before_;
  double made_until_ = 0;  ///< seconds, when the last picture was done
  ProgressLine line_;
  Log log_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point metrics_written_{};
};

}  // namespace impasto::app
