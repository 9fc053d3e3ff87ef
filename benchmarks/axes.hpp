// SPDX-License-Identifier: MIT
// What a command line lists: shapes, batches, precisions, backends. Every combination is a row.
#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "benchmarks/program.hpp"
#include "host/backend/registry.hpp"
#include "host/check/operation.hpp"

namespace impasto::bench {

/// What an operation works on, by the name it was given.
struct NamedShape {
  std::string name;
  Shape map;
  std::int64_t out_channels = 0;  ///< of a convolution, else the map's
};

/// The shapes of a command line for one operation: "conv3_1@512" is conv3_1's feature map for a
/// picture of 512×512, "64x48x128" a map of H×W×C, and "512" the maps at all layers at which the
/// operation stands in VGG-19. A convolution's map is what it reads. An operation on pixels works
/// on the picture, and on each size once. Throws ErrorKind::usage.
std::vector<NamedShape> shapes_of(std::span<const std::string> texts, const Operation& op);

/// An option "--name=a,b,...".
template <class Value>
CLI::Option* add_axis(CLI::App& app, const std::string& name, std::vector<Value>& into,
                      const std::string& about) {
  return app.add_option(name, into, about)->delimiter(',')->allow_extra_args(false);
}
void add_shape_axis(CLI::App& app, std::vector<std::string>& into);
void add_batch_axis(CLI::App& app, std::vector<std::int64_t>& into);
/// For --list: "gram                    conv1_1 conv2_1".
std::string layers_line(std::string_view name, const Operation& op);

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
  /// Benchmarks keep them. Throws ErrorKind::backend where there is none.
  [[nodiscard]] std::vector<SharedBackend> open() const;
};

/// For --list: every backend, and why one cannot be used.
std::string backend_names();

}  // namespace impasto::bench
