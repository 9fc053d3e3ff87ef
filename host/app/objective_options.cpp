// SPDX-License-Identifier: MIT
#include "host/app/objective_options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cmath>

#include "host/app/values.hpp"
#include "host/backend/registry.hpp"
#include "host/core/error.hpp"
#include "host/model/vgg19.hpp"

namespace impasto::app {
namespace {

constexpr auto objective_group = "Objective";
constexpr auto engine_group = "Network and machine";

double parse_layer_weight(std::string_view flag, std::string_view text) {
  double weight = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), weight);
  if (error != std::errc{} || stop != text.data() + text.size() || !std::isfinite(weight) ||
      weight < 0) {
    fail(ErrorKind::usage, "{}: a layer's weight is a number that is 0 or greater, not '{}'", flag,
         text);
  }
  return weight;
}

/// Our own name of a layer that may be called as another system calls it.
std::string layer_name(std::string_view flag, std::string_view text) {
  try {
    return std::string(vgg19.at(vgg19_index(text)).name);
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("{}: {}", flag, error.what()));
  }
}

template <class T>
void override_with(T& setting, const std::optional<T>& given) {
  if (given) setting = *given;
}

}  // namespace

std::vector<std::string> backend_names() {
  std::vector<std::string> names = {"auto"};
  for (const BackendEntry& entry : list_backends()) names.push_back(entry.name);
  return names;
}

void add_engine_options(CLI::App& command, EngineOptions& options) {
  add_text(command, "--weights", options.weights, "FILE",
           "VGG-19 as 'impasto weights convert' writes it\n(default: a built-in network)")
      ->group(engine_group);
  add_backend_options(command, options);
}

void add_backend_options(CLI::App& command, EngineOptions& options) {
  add_choice(command, "--backend", options.backend, backend_names(),
             "where to compute (default: auto,\nthe best there is; see 'impasto devices')")
      ->group(engine_group);
  add_choice(command, "--precision", options.precision, {"auto", "fp32", "tf32", "bf16", "fp16"},
             "of feature maps (default: the backend's own)")
      ->group(engine_group);
  command
      .add_flag("--no-plan-cache", options.no_plan_cache,
                "on a GPU: take the libraries' first plans; time\nnothing, read and keep nothing")
      ->group(engine_group);
}

std::unique_ptr<Backend> open_backend(const EngineOptions& options) {
  return make_backend(options.backend.value_or("auto"),
                      parse_precision(options.precision.value_or("auto")),
                      options.no_plan_cache ? Tuning::off : Tuning::cached);
}

void add_objective_options(CLI::App& command, ObjectiveOptions& options) {
  add_choice(command, "--preset", options.preset, preset_names(),
             "the settings to start from (default: impasto)")
      ->group(objective_group);
  add_real(command, "--content-weight", options.content_weight, false,
           "how much the content's structure counts")
      ->group(objective_group);
  add_real(command, "--style-weight", options.style_weight, false, "how much the style counts")
      ->group(objective_group);
  add_real(command, "--tv-weight", options.variation_weight, false,
           "how much smoothness counts (total variation)")
      ->group(objective_group);
  add_text(command, "--content-layers", options.content_layers, "L[:w],...",
           "layers compared with the content, with weights:\nconv4_2 or conv4_2:0.7,conv5_2:0.3")
      ->group(objective_group);
  add_text(command, "--style-layers", options.style_layers, "L[:w],...",
           "layers whose Gram matrices are compared; without\nweights they share 1 evenly")
      ->group(objective_group);
  add_choice(command, "--pooling", options.pooling, {"avg", "max"},
             "how the network shrinks its feature maps")
      ->group(objective_group);
}

void apply_pooling(const std::optional<std::string>& pooling, kernels::PoolKind& kind) {
  if (!pooling) return;
  kind.mode = *pooling == "max" ? kernels::PoolMode::max : kernels::PoolMode::average;
}

Config make_config(const ObjectiveOptions& options) {
  Config config = preset(options.preset.value_or("impasto"));
  Objective& objective = config.objective;
  override_with(objective.content_weight, options.content_weight);
  override_with(objective.style_weight, options.style_weight);
  override_with(objective.variation_weight, options.variation_weight);
  if (options.content_layers) {
    objective.content_layers = parse_layers("--content-layers", *options.content_layers);
  }
  if (options.style_layers) {
    objective.style_layers = parse_layers("--style-layers", *options.style_layers);
  }
  apply_pooling(options.pooling, objective.pool);
  check(objective);
  return config;
}

std::vector<LayerWeight> parse_layers(std::string_view flag, std::string_view text) {
  std::vector<LayerWeight> layers;
  std::vector<bool> weighted;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view item = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), item.size() + 1));
    const std::size_t colon = item.find(':');
    const std::string_view name = item.substr(0, colon);
    const bool has_weight = colon != std::string_view::npos;
    weighted.push_back(has_weight);
    layers.push_back({layer_name(flag, name),
                      has_weight ? parse_layer_weight(flag, item.substr(colon + 1)) : 0});
  }
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (!weighted[i]) layers[i].weight = 1.0 / static_cast<double>(layers.size());
  }
  return layers;
}

std::string convolution_at(std::string_view layer) {
  std::size_t index = vgg19_index(layer);
  while (vgg19.at(index).kind != conv_kind) --index;
  return std::string(vgg19.at(index).name);
}

std::string deepest_convolution(const Objective& objective) {
  std::size_t deepest = 0;
  for (const auto* layers : {&objective.content_layers, &objective.style_layers}) {
    for (const LayerWeight& layer : *layers) {
      deepest = std::max(deepest, vgg19_index(layer.layer));
    }
  }
  return convolution_at(vgg19.at(deepest).name);
}

}  // namespace impasto::app
