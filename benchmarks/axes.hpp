// SPDX-License-Identifier: MIT
// What a command line lists: batches, precisions, backends. Every combination is a row.
#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "benchmarks/program.hpp"
#include "host/backend/registry.hpp"

namespace impasto::bench {

/// An option "--name=a,b,...".
template <class Value>
CLI::Option* add_axis(CLI::App& app, const std::string& name, std::vector<Value>& into,
                      const std::string& about) {
  return app.add_option(name, into, about)->delimiter(',')->allow_extra_args(false);
}

inline void add_batch_axis(CLI::App& app, std::vector<std::int64_t>& into) {
  add_axis(app, "--batch", into, "pictures side by side (1)")->check(CLI::Range(1, 1 << 20));
}

/// Whether a list that was asked for, or that says nothing, has the name.
inline bool chosen(const std::vector<std::string>& names, std::string_view name) {
  return names.empty() || std::find(names.begin(), names.end(), name) != names.end();
}

using SharedBackend = std::shared_ptr<Backend>;

/// Which backends a command line asks for.
struct BackendAxes {
  std::vector<std::string> names = {"auto"};
  std::vector<std::string> precisions = {};  ///< none: all that each backend offers
  bool no_plan_cache = false;

  /// --backend, the precisions under the name given, --no-plan-cache.
  void add_options(CLI::App& app, const std::string& precision_option);
  /// Each backend in each precision asked for that it offers; adds what they run on to the context.
  /// Benchmarks keep them. Throws ErrorKind::backend for a precision that none of them has.
  [[nodiscard]] std::vector<SharedBackend> open() const;
};

/// For --list: every backend, and why one cannot be used.
std::string backend_names();

}  // namespace impasto::bench
