// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/app/objective_options.hpp"
#include "host/engine/config.hpp"

namespace CLI {
class App;
}

namespace impasto::app {

/// Everything that can be said to `impasto stylize`. Empty: the default.
struct StylizeOptions {
  std::string content;
  std::vector<std::string> styles;
  std::optional<std::string> output;
  std::optional<std::string> sheet;
  std::optional<std::int64_t> save_every;

  ObjectiveOptions objective;
  std::optional<std::int64_t> size;
  std::optional<std::int64_t> style_size;
  std::optional<std::int64_t> iterations;
  std::optional<double> learning_rate;
  std::optional<std::string> init;
  std::optional<std::int64_t> seed;
  EngineOptions engine;

  std::optional<std::string> log;
  std::optional<std::string> config;
  bool dry_run = false;
  bool json = false;
  bool quiet = false;
};

void add_stylize_options(CLI::App& command, StylizeOptions& options);

/// The run these options describe. Throws ErrorKind::usage where that makes no sense.
Config make_config(const StylizeOptions& options);

/// Throws ErrorKind::usage or ErrorKind::output for what is missing or could not be written later.
void check_files(const StylizeOptions& options);

}  // namespace impasto::app
