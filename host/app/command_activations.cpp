// SPDX-License-Identifier: MIT
#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <string>

#include "host/app/activation_file.hpp"
#include "host/app/commands.hpp"
#include "host/app/describe.hpp"
#include "host/app/failure.hpp"
#include "host/app/inputs.hpp"
#include "host/app/settings.hpp"
#include "host/app/terminal.hpp"
#include "host/app/values.hpp"
#include "host/model/vgg19.hpp"

namespace impasto::app {
namespace {

constexpr auto examples = R"(Example:
  impasto activations photo.jpg --layer conv4_2 -o conv4_2.h5

The file holds one float32 dataset 'activation' (height, width, channels), after the
layer's ReLU, with the attributes layer, image and weights.)";

struct ActivationsOptions {
  std::string image;
  std::optional<std::string> layer;
  std::optional<std::string> output;
  std::optional<std::int64_t> size;
  std::optional<std::string> preset;
  std::optional<std::string> pooling;
  EngineOptions engine;
  std::optional<std::string> config;
  bool json = false;
};

void print_summary(const ActivationsOptions& options, const Activation& activation) {
  const std::vector<float>& values = activation.values;
  const auto [lowest, highest] = std::minmax_element(values.begin(), values.end());
  const double mean =
      std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  if (options.json) {
    print_result(dump({{"layer", *options.layer},
                       {"output", options.output ? Json(*options.output) : Json()},
                       {"shape", {activation.height, activation.width, activation.channels}},
                       {"min", *lowest},
                       {"mean", mean},
                       {"max", *highest}}) +
                 "\n");
    return;
  }
  print_result(
      fmt::format("{}: {}x{}x{} (height, width, channels), min {:.6g}, mean {:.6g}, max "
                  "{:.6g}\n",
                  *options.layer, activation.height, activation.width, activation.channels, *lowest,
                  mean, *highest));
}

void check_arguments(const ActivationsOptions& options) {
  if (options.image.empty() || !options.layer) {
    throw HintedError(ErrorKind::usage, "activations needs a picture and a layer",
                      "try: impasto activations photo.jpg --layer conv4_2 -o conv4_2.h5");
  }
  if (!options.output) return;
  const auto folder = std::filesystem::path(*options.output).parent_path();
  if (!folder.empty() && !std::filesystem::is_directory(folder)) {
    fail(ErrorKind::output, "{}: there is no folder {}", *options.output, folder.string());
  }
}

void save_activations(const ActivationsOptions& options) {
  check_arguments(options);
  const std::string layer(vgg19.at(vgg19_index(*options.layer)).name);
  kernels::PoolKind pool = preset(options.preset.value_or("impasto")).objective.pool;
  apply_pooling(options.pooling, pool);
  const std::unique_ptr<Backend> backend = open_backend(options.engine);
  const Image image = load_picture(options.image, options.size);
  const Weights weights = open_weights(options.engine, *backend, convolution_at(layer));
  const Activation values = activation(*backend, weights, pool, image, layer);
  if (options.output) {
    const std::string name = std::filesystem::path(options.image).filename().string();
    save_activation(values, {layer, name, weights.description}, *options.output);
  }
  print_summary(options, values);
}

}  // namespace

void add_activations_command(CLI::App& program) {
  CLI::App* command = program.add_subcommand(
      "activations", "Show what one layer of the network makes of a picture");
  command->footer(examples);
  const auto options = std::make_shared<ActivationsOptions>();
  command->add_option("IMAGE", options->image, "the picture to show to the network");
  add_text(*command, "--layer", options->layer, "NAME", "conv1_1 to conv5_4, pool1 to pool5");
  add_text(*command, "-o,--output", options->output, "FILE", "an HDF5 file for the values");
  add_whole(*command, "--size", options->size, {16, largest_size},
            "longer side in pixels (default: the picture's own)");
  add_choice(*command, "--preset", options->preset, preset_names(),
             "whose way of pooling (default: impasto)");
  add_choice(*command, "--pooling", options->pooling, {"avg", "max"},
             "how the network shrinks its feature maps");
  command->add_flag("--json", options->json, "as JSON on stdout");
  add_engine_options(*command, options->engine);
  add_config_option(*command, options->config);
  command->callback([command, options] {
    fill_from_environment_and_config(*command);
    save_activations(*options);
  });
}

}  // namespace impasto::app
