// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "host/backend/backend.hpp"
#include "host/engine/config.hpp"

namespace CLI {
class App;
}

namespace impasto::app {

/// What the user said about the network and the machine. Empty: the default.
struct EngineOptions {
  std::optional<std::string> weights;
  std::optional<std::string> backend;
  std::optional<std::string> precision;
  bool no_plan_cache = false;
};

/// "auto" and every backend this build knows.
std::vector<std::string> backend_names();

/// --backend, --precision and --no-plan-cache.
void add_backend_options(CLI::App& command, EngineOptions& options);
/// These and --weights.
void add_engine_options(CLI::App& command, EngineOptions& options);

/// The backend asked for. Throws with a suggestion for a name that does not exist.
std::unique_ptr<Backend> open_backend(const EngineOptions& options);

/// What the user said about the losses. Empty: as the preset has it.
struct ObjectiveOptions {
  std::optional<std::string> preset;
  std::optional<double> content_weight;
  std::optional<double> style_weight;
  std::optional<double> variation_weight;
  std::optional<std::string> content_layers;
  std::optional<std::string> style_layers;
  std::optional<std::string> pooling;
};

void add_objective_options(CLI::App& command, ObjectiveOptions& options);

/// The preset with what the user said laid over it. Throws ErrorKind::usage where that makes no
/// sense.
Config make_config(const ObjectiveOptions& options);

/// --pooling alone, laid over a preset's.
void apply_pooling(const std::optional<std::string>& pooling, kernels::PoolKind& kind);

/// "conv4_2:0.5,conv5_2" as layers and weights; those without a weight get 1/count, so that a list
/// of bare names keeps the scale of one layer. Throws ErrorKind::usage, naming the flag.
std::vector<LayerWeight> parse_layers(std::string_view flag, std::string_view text);

/// The last convolution that the objective needs: how far a network has to be loaded.
std::string deepest_convolution(const Objective& objective);

/// The last convolution at or before a layer.
std::string convolution_at(std::string_view layer);

}  // namespace impasto::app
