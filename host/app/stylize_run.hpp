// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "host/app/describe.hpp"
#include "host/app/log.hpp"
#include "host/app/progress.hpp"
#include "host/app/settings.hpp"
#include "host/engine/run.hpp"

namespace impasto::app {

/// The pictures of one stylization, ready for the engine.
struct StylizeInputs {
  Image content;
  std::vector<Style> styles;
  Image initial;
};

/// One stylization as the user sees it: the optimisation with its progress, log and snapshots, then
/// the result, the sheet and the summary.
class StylizeRun {
 public:
  /// Opens the log. The arguments must outlive the object.
  StylizeRun(const Settings& settings, Backend& backend, const StylizeInputs& inputs);

  /// Throws Interrupted after a signal and ErrorKind::diverged after a NaN, the picture being
  /// saved.
  void run();

 private:
  /// The last iteration that was reported, and the first.
  struct Course {
    Progress first;
    Progress last;
    Ending ending = Ending::finished;
  };

  void optimise();
  [[nodiscard]] Json start_record(const Network& network) const;
  [[nodiscard]] Json end_record(const std::string& sha256) const;
  [[nodiscard]] std::string comment(const Network& network) const;
  /// A picture of the optimisation with the content's transparency and depth.
  [[nodiscard]] Image finished(Image picture) const;
  bool report(const Network& network, const Progress& progress);
  /// A run stopped before its first step has nothing to show but its own beginning.
  [[nodiscard]] bool saved() const;
  void save(const Network& network, Image image);
  void summarise(const Network& network) const;
  void end() const;

  const Settings& settings_;
  Backend& backend_;
  const StylizeInputs& inputs_;
  Log log_;
  ProgressLine progress_;
  Course course_;
};

}  // namespace impasto::app
