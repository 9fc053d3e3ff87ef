// SPDX-License-Identifier: MIT
#pragma once

#include <fmt/format.h>
#include <memory>
#include <string>
#include <vector>

#include "benchmarks/program.hpp"
#include "benchmarks/shapes.hpp"
#include "host/backend/registry.hpp"

namespace impasto::bench {

using SharedBackend = std::shared_ptr<Backend>;

/// Which backends a command line asks for.
struct BackendAxes {
  std::vector<std::string> names = {"auto"};
  std::vector<std::string> precisions = {};  ///< none: all that each backend offers
  bool no_plan_cache = false;

  /// --backend, the precisions under the name given, --no-plan-cache.
  void add_options(CLI::App& app, const std::string& precision_option);
  /// Each backend in each precision asked for that it offers; adds what they run on to the context.
  /// Benchmarks keep them. Throws ErrorKind::backend where there is none.
  [[nodiscard]] std::vector<SharedBackend> open() const;
};

/// For --list: every backend, and why one cannot be used.
std::string backend_names();

}  // namespace impasto::bench
