// SPDX-License-Identifier: MIT
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "host/app/commands.hpp"
#include "host/app/describe.hpp"
#include "host/app/failure.hpp"
#include "host/app/inputs.hpp"
#include "host/app/settings.hpp"
#include "host/app/terminal.hpp"
#include "host/app/values.hpp"
#include "host/engine/stylizer.hpp"
#include "host/image/resize.hpp"

namespace impasto::app {
namespace {

constexpr auto examples = R"(Example:
  impasto score out.png --content photo.jpg --style starry_night.jpg

The content is brought to the picture's size. The result is one line of JSON:
loss, content, style, variation, content_layers, style_layers.)";

struct ScoreOptions {
  std::string image;
  std::optional<std::string> content;
  std::vector<std::string> styles;
  std::optional<std::int64_t> size;
  std::optional<std::int64_t> style_size;
  ObjectiveOptions objective;
  EngineOptions engine;
  std::optional<std::string> config;
};

/// The content at exactly the picture's size. A rounded side may differ by one pixel; a picture of
/// another shape is a mistake.
Image load_content(const std::string& path, const Image& image) {
  const Image content = load_picture(path, std::max(image.height, image.width));
  if (std::abs(content.height - image.height) > 1 || std::abs(content.width - image.width) > 1) {
    fail(ErrorKind::input, "{}: expected the shape of the picture, {}x{}, found {}x{}", path,
         image.width, image.height, content.width, content.height);
  }
  return resize(content, image.height, image.width);
}

void score_picture(const ScoreOptions& options) {
  if (options.image.empty() || !options.content || options.styles.empty()) {
    throw HintedError(ErrorKind::usage, "score needs a picture, its content and its style",
                      "try: impasto score out.png --content photo.jpg --style style.jpg");
  }
  Config config = make_config(options.objective);
  const std::unique_ptr<Backend> backend = open_backend(options.engine);
  const Image image = load_picture(options.image, options.size);
  config.size = std::max(image.height, image.width);
  const Image content = load_content(*options.content, image);
  std::vector<Style> styles;
  for (const std::string& style : options.styles) {
    styles.push_back({load_picture(style, options.style_size.value_or(config.size)), 1});
  }
  const Weights weights =
      open_weights(options.engine, *backend, deepest_convolution(config.objective));
  const Losses losses = score(*backend, weights, config, image, content, styles);
  print_result(dump(describe(losses)) + "\n");
}

}  // namespace

void add_score_command(CLI::App& program) {
  CLI::App* command =
      program.add_subcommand("score", "Give the losses of any picture, as JSON on stdout");
  command->footer(examples);
  const auto options = std::make_shared<ScoreOptions>();
  command->add_option("IMAGE", options->image, "the picture to score");
  add_text(*command, "--content", options->content, "FILE", "the content picture");
  command->add_option("--style", options->styles, "one or more style pictures")->type_name("FILE");
  add_whole(*command, "--size", options->size, {16, largest_size},
            "longer side to score at (default: the picture's own)");
  add_whole(*command, "--style-size", options->style_size, {16, largest_size},
            "longer side of the styles (default: the picture's)");
  add_objective_options(*command, options->objective);
  add_engine_options(*command, options->engine);
  add_config_option(*command, options->config);
  command->callback([command, options] {
    fill_from_environment_and_config(*command);
    score_picture(*options);
  });
}

}  // namespace impasto::app
