// SPDX-License-Identifier: MIT
#include "host/app/plan.hpp"

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "host/app/describe.hpp"
#include "host/app/terminal.hpp"

namespace impasto::app {
namespace {

std::string layer_list(const std::vector<LayerWeight>& layers) {
  std::string text;
  for (const LayerWeight& layer : layers) {
    text += fmt::format("{}{}:{:.4g}", text.empty() ? "" : ",", layer.layer, layer.weight);
  }
  return text;
}

void print_words(const StylizeOptions& options, const Config& config, const Backend& backend,
                 const StylizeInputs& inputs, const MemoryEstimate& memory) {
  const Objective& objective = config.objective;
  const Json json = describe(config);
  std::string text;
  const auto add = [&text](std::string_view label, const std::string& value) {
    text += fmt::format("{:<16}{}\n", label, value);
  };
  add("result",
      fmt::format("{} ({}x{})", *options.output, inputs.content.width, inputs.content.height));
  add("content", options.content);
  for (std::size_t i = 0; i < inputs.styles.size(); ++i) {
    const Image& style = inputs.styles[i].image;
    add("style", fmt::format("{} ({}x{})", options.styles[i], style.width, style.height));
  }
  add("preset", config.preset);
  add("iterations", fmt::format("{}", config.iterations));
  add("start",
      fmt::format("{}, seed {}",
                  config.init == Init::file ? *options.init : json["init"].get<std::string>(),
                  config.seed));
  add("content loss",
      fmt::format("{:g} x {}", objective.content_weight, layer_list(objective.content_layers)));
  add("style loss",
      fmt::format("{:g} x {}", objective.style_weight, layer_list(objective.style_layers)));
  add("tv weight", fmt::format("{:g}", objective.variation_weight));
  add("learning rate", fmt::format("{:g}", config.adam.learning_rate));
  add("pooling", json["pooling"].get<std::string>());
  add("network", options.engine.weights.value_or("built-in"));
  add("machine",
      fmt::format("{}, {}, {}", backend.name(), to_string(backend.precision()), backend.device()));
  add("memory",
      fmt::format("{} = {} network + {} picture and targets + {} feature maps + {} workspace",
                  human_bytes(memory.total()), human_bytes(memory.weights),
                  human_bytes(memory.persistent), human_bytes(memory.arena),
                  human_bytes(memory.workspace)));
  print_result(text);
}

}  // namespace

void print_plan(const StylizeOptions& options, const Config& config, Backend& backend,
                const StylizeInputs& inputs) {
  std::vector<Shape> styles;
  for (const Style& style : inputs.styles) {
    styles.push_back({1, style.image.height, style.image.width, 3});
  }
  const MemoryEstimate memory =
      estimate_memory(backend, config, {1, inputs.content.height, inputs.content.width, 3}, styles);
  if (!options.json) {
    print_words(options, config, backend, inputs, memory);
    return;
  }
  print_result(dump({{"output", *options.output},
                     {"height", inputs.content.height},
                     {"width", inputs.content.width},
                     {"config", describe(config)},
                     {"network", options.engine.weights.value_or("built-in")},
                     {"backend", describe(backend)},
                     {"memory", describe(memory)}}) +
               "\n");
}

}  // namespace impasto::app
