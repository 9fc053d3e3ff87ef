// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "host/app/describe.hpp"
#include "host/app/log.hpp"
#include "host/app/progress.hpp"
#include "host/app/settings.hpp"
#include "host/engine/stylizer.hpp"

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
  [[nodiscard]] Json start_record(const Weights& weights) const;
  [[nodiscard]] Json end_record(const std::string& sha256) const;
  [[nodiscard]] std::string comment(const Weights& weights) const;
  [[nodiscard]] Image finished_picture(Stylizer& stylizer) const;
  bool report(Stylizer& stylizer, const Weights& weights, const Progress& progress);
  /// A run stopped before its first step has nothing to show but its own beginning.
  [[nodiscard]] bool saved() const;
  void save(Stylizer& stylizer, const Weights& weights);
  void summarise(const Weights& weights) const;
  void end() const;

  const Settings& settings_;
  Backend& backend_;
  const StylizeInputs& inputs_;
  Log log_;
  ProgressLine progress_;
  Course course_;
};

}  // namespace impasto::app
