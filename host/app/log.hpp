// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

#include "host/app/describe.hpp"
#include "host/app/files.hpp"
#include "host/core/error.hpp"
#include "host/engine/run.hpp"

namespace impasto::app {

/// The JSON lines of --log: a start record, one per iteration, an end record; each line reaches the
/// file as soon as it is complete. A line that cannot be written does not stop the run: the rest of
/// the log is given up, and failure() tells at the end.
class Log {
 public:
  Log() = default;
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  ~Log();

  /// Begins the file anew; without a path nothing is written. Throws ErrorKind::output where it
  /// cannot be opened, where another run writes it, and for a pipe that nobody reads.
  void open(const OutputPath& path);
  /// Waits for a pipe's reader, but not beyond a signal.
  void write(const Json& record);
  void write(const Progress& progress);

  [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }

 private:
  std::string path_;
  int descriptor_ = -1;
  std::optional<Error> failure_;
};

}  // namespace impasto::app
