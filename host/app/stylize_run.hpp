// SPDX-License-Identifier: MIT
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/app/checkpoints.hpp"
#include "host/app/describe.hpp"
#include "host/app/evolution.hpp"
#include "host/app/inputs.hpp"
#include "host/app/log.hpp"
#include "host/app/progress.hpp"
#include "host/app/report.hpp"
#include "host/app/settings.hpp"
#include "host/engine/shared_stylization.hpp"

namespace impasto::app {

/// One stylization as the user sees it: the optimisation with its progress, log and snapshots, then
/// the result, the sheet and the summary.
class StylizeRun {
 public:
  /// The settings and devices must outlive the object.
  StylizeRun(const Settings& settings, std::span<Backend* const> devices, StylizeInputs inputs);

  /// Throws Interrupted after a signal, ErrorKind::diverged after a NaN, and ErrorKind::output for
  /// a snapshot, a checkpoint or a log that failed; the picture is saved then.
  void run();

 private:
  void begin_checkpoints(const Network& network);
  void keep(Checkpoint checkpoint);
  void end_checkpoints();
  void go_on_without(const Error& error);
  void optimise(SharedStylization& stylization);
  [[nodiscard]] Json start_record(const Network& network) const;
  [[nodiscard]] Json end_record(const std::string& sha256) const;
  [[nodiscard]] std::string comment(const Network& network) const;
  bool report(const Network& network, const Progress& progress);
  void save_snapshot(const Network& network, const Progress& progress);
  [[nodiscard]] const Course& course() const { return stylized_.courses.front(); }
  /// Whether there is a picture besides the one that the run began with.
  [[nodiscard]] bool has_result() const;
  std::string save(const Network& network, const Image& picture);
  [[nodiscard]] std::string save_result(const Network& network, const Image& picture) const;
  void save_report(const Image& picture) const;
  void say_result(const SharedStylization& stylization) const;
  void end() const;

  const Settings& settings_;
  std::span<Backend* const> devices_;
  Backend& backend_;  ///< the first of them
  StylizeInputs inputs_;
  Log log_;
  Curves curves_;
  Evolution evolution_;
  Json start_record_;
  IterationProgress progress_;
  Stylized stylized_;
  Json end_record_;
  std::optional<CheckpointFile> checkpoint_file_;
  Checkpoints checkpoints_;
  std::optional<Error> failed_write_;  ///< the first of a snapshot or checkpoint
};

}  // namespace impasto::app
