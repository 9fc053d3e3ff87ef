// SPDX-License-Identifier: MIT
#include "host/app/describe.hpp"

#include <array>
#include <cmath>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <string_view>

#include "host/app/version.hpp"

namespace impasto::app {
namespace {

Json layers(const std::vector<LayerWeight>& weights) {
  Json json = Json::object();
  for (const LayerWeight& layer : weights) json[layer.layer] = layer.weight;
  return json;
}

Json layers(const std::vector<std::pair<std::string, double>>& terms) {
  Json json = Json::object();
  for (const auto& [layer, term] : terms) json[layer] = term;
  return json;
}

Json describe(const Normaliser& scale) {
  return {{"factor", scale.factor},
          {"channel_power", scale.channel_power},
          {"pixel_power", scale.pixel_power}};
}

std::string_view name(Init init) {
  switch (init) {
    case Init::content: return "content";
    case Init::random: return "random";
    case Init::mix: return "mix";
    case Init::file: return "file";
  }
  return "";
}

}  // namespace

Json describe(const Config& config) {
  const Objective& objective = config.objective;
  const kernels::AdamOptions& adam = config.adam;
  const bool average = objective.pool.mode == kernels::PoolMode::average;
  const bool up = objective.pool.rounding == kernels::PoolRounding::up;
  // JSON has no infinity: an open bound of the pixels becomes null.
  return {{"preset", config.preset},
          {"size", config.size},
          {"iterations", config.iterations},
          {"content_weight", objective.content_weight},
          {"style_weight", objective.style_weight},
          {"variation_weight", objective.variation_weight},
          {"content_layers", layers(objective.content_layers)},
          {"style_layers", layers(objective.style_layers)},
          {"content_scale", describe(objective.content_scale)},
          {"gram_scale", describe(objective.gram_scale)},
          {"style_scale", describe(objective.style_scale)},
          {"variation_scale", describe(objective.variation_scale)},
          {"pooling", average ? "avg" : "max"},
          {"pool_rounding", up ? "up" : "down"},
          {"learning_rate", adam.learning_rate},
          {"beta1", adam.beta1},
          {"beta2", adam.beta2},
          {"epsilon", adam.epsilon},
          {"adam", adam.form == kernels::AdamEpsilon::pytorch ? "pytorch" : "tensorflow"},
          {"lowest", adam.lowest},
          {"highest", adam.highest},
          {"init", name(config.init)},
          {"noise_ratio", config.noise_ratio},
          {"noise_amplitude", config.noise_amplitude},
          {"seed", config.seed}};
}

Json describe(const Losses& losses) {
  return {{"loss", losses.total},
          {"content", losses.content},
          {"style", losses.style},
          {"variation", losses.variation},
          {"content_layers", layers(losses.content_layers)},
          {"style_layers", layers(losses.style_layers)}};
}

Json describe(const MemoryEstimate& memory) {
  return {{"weights_bytes", memory.weights},
          {"persistent_bytes", memory.persistent},
          {"arena_bytes", memory.arena},
          {"workspace_bytes", memory.workspace},
          {"total_bytes", memory.total()}};
}

Json describe(const Weights& weights) {
  Json json = {{"description", weights.description}};
  if (!weights.source_sha256.empty()) json["source_sha256"] = weights.source_sha256;
  return json;
}

Json describe(const Backend& backend) {
  return {{"name", backend.name()},
          {"precision", to_string(backend.precision())},
          {"device", backend.device()}};
}

Json describe_versions() { return {{"impasto", version}, {"compiler", compiler}}; }

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

LossParts parts(const Losses& losses, const Objective& objective) {
  return {objective.content_weight * losses.content, objective.style_weight * losses.style,
          objective.variation_weight * losses.variation};
}

std::string human_bytes(std::size_t bytes) {
  constexpr std::array<std::string_view, 5> units = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto amount = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; amount >= 1024 && unit + 1 < units.size(); ++unit) amount /= 1024;
  return fmt::format("{:.{}f} {}", amount, unit == 0 || amount >= 100 ? 0 : 1, units[unit]);
}

std::string human_time(double seconds) {
  const long whole = std::lround(seconds);
  if (whole >= 3600) {
    return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  }
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace impasto::app
