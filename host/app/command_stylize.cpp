// SPDX-License-Identifier: MIT
#include <CLI/CLI.hpp>
#include <memory>
#include <utility>

#include "host/app/commands.hpp"
#include "host/app/inputs.hpp"
#include "host/app/plan.hpp"
#include "host/app/settings.hpp"
#include "host/app/signals.hpp"
#include "host/app/stylize_options.hpp"
#include "host/app/stylize_run.hpp"
#include "host/app/terminal.hpp"
#include "host/image/resize.hpp"

namespace impasto::app {
namespace {

constexpr auto examples = R"(Examples:
  impasto stylize sample:scene sample:painting -o demo.png
  impasto stylize photo.jpg starry_night.jpg -o out.png --weights vgg19.h5
  impasto stylize photo.jpg a.jpg b.jpg -o out.png --size 1024 --style-size 512
  impasto stylize photo.jpg style.jpg -o out.png --preset coursera --log run.jsonl

Every option can also be set by the environment (IMPASTO_STYLE_WEIGHT=40) or by
a --config file; an option given here comes first, then the environment, then
the file, then the preset.)";

StylizeInputs load_inputs(const StylizeOptions& options, const Config& config) {
  StylizeInputs inputs;
  inputs.content = load_picture(options.content, config.size);
  for (const std::string& style : options.styles) {
    inputs.styles.push_back({load_picture(style, options.style_size.value_or(config.size)), 1});
  }
  if (config.init == Init::file) {
    const Image start =
        resize(load_picture(*options.init), inputs.content.height, inputs.content.width);
    inputs.initial = make_initial(config, inputs.content, &start);
  } else {
    inputs.initial = make_initial(config, inputs.content);
  }
  return inputs;
}

void stylize(const StylizeOptions& options) {
  const Config config = make_config(options);
  check_files(options);
  const std::unique_ptr<Backend> backend = open_backend(options.engine);
  const StylizeInputs inputs = load_inputs(options, config);
  if (options.dry_run) {
    print_plan(options, config, *backend, inputs);
    return;
  }
  stop_if_asked();
  StylizeRun run(options, config, *backend, inputs);
  run.run();
}

}  // namespace

void add_stylize_command(CLI::App& program) {
  CLI::App* command = program.add_subcommand("stylize", "Paint one picture in the style of others");
  command->footer(examples);
  const auto options = std::make_shared<StylizeOptions>();
  add_stylize_options(*command, *options);
  command->callback([command, options] {
    fill_from_environment_and_config(*command);
    stylize(*options);
  });
}

}  // namespace impasto::app
