// SPDX-License-Identifier: MIT
#include "host/app/stylize_options.hpp"

#include <CLI/CLI.hpp>
#include <filesystem>

#include "host/app/failure.hpp"
#include "host/app/settings.hpp"
#include "host/app/values.hpp"
#include "host/image/encode.hpp"

namespace impasto::app {
namespace {

constexpr auto run_group = "Optimisation";
constexpr auto output_group = "Output";

void add_run_options(CLI::App& command, StylizeOptions& options) {
  add_whole(command, "--size", options.size, {16, largest_size},
            "longer side of the result in pixels\n(default: 512; coursera: 400)")
      ->group(run_group);
  add_whole(command, "--style-size", options.style_size, {16, largest_size},
            "longer side the styles are seen at; smaller shows\nfiner strokes (default: --size)")
      ->group(run_group);
  add_whole(command, "--iterations", options.iterations, {1, 1'000'000}, "steps to take")
      ->group(run_group);
  add_real(command, "--learning-rate", options.learning_rate, true, "Adam's step, in pixel values")
      ->group(run_group);
  add_text(command, "--init", options.init, "content|random|mix|FILE", "the picture to start from")
      ->group(run_group);
  add_whole(command, "--seed", options.seed, {0}, "of the noise in --init random and mix")
      ->group(run_group);
}

void add_output_options(CLI::App& command, StylizeOptions& options) {
  add_text(command, "-o,--output", options.output, "FILE",
           "the result: .jpg .jpeg .png .webp .tif .tiff")
      ->group(output_group);
  add_text(command, "--sheet", options.sheet, "FILE",
           "also a picture of content, style and result\nside by side")
      ->group(output_group);
  add_whole(command, "--save-every", options.save_every, {1},
            "also the picture after every N iterations:\nOUT_0100.png")
      ->group(output_group);
  add_text(command, "--log", options.log, "FILE", "write every iteration's losses as JSON lines")
      ->group(output_group);
  command.add_flag("--json", options.json, "say on stdout, as JSON, what was done")
      ->group(output_group);
  command.add_flag("--dry-run", options.dry_run, "say what would be done and the memory it takes")
      ->group(output_group);
  command.add_flag("-q,--quiet", options.quiet, "no progress, no summary")->group(output_group);
}

bool same_file(const std::string& a, const std::string& b) {
  std::error_code ignored;
  return std::filesystem::equivalent(a, b, ignored);
}

void refuse_overwriting_inputs(const StylizeOptions& options, const std::string& written) {
  std::vector<std::string> inputs = options.styles;
  inputs.push_back(options.content);
  if (options.init) inputs.push_back(*options.init);
  for (const std::string& input : inputs) {
    if (same_file(input, written)) {
      fail(ErrorKind::usage, "{}: would be overwritten, but it is an input", written);
    }
  }
}

}  // namespace

void add_stylize_options(CLI::App& command, StylizeOptions& options) {
  command.add_option("CONTENT", options.content, "the picture whose structure is kept");
  command.add_option("STYLE", options.styles, "one or more pictures whose style is taken");
  add_output_options(command, options);
  add_run_options(command, options);
  add_objective_options(command, options.objective);
  add_engine_options(command, options.engine);
  add_config_option(command, options.config);
  command.set_help_flag("-h,--help", "show this");  // again, so that it comes last
}

Config make_config(const StylizeOptions& options) {
  Config config = make_config(options.objective);
  config.size = options.size.value_or(config.size);
  config.iterations = options.iterations.value_or(config.iterations);
  config.adam.learning_rate = options.learning_rate.value_or(config.adam.learning_rate);
  if (options.seed) config.seed = static_cast<std::uint64_t>(*options.seed);
  if (options.init) {
    const std::string& init = *options.init;
    config.init = init == "content"  ? Init::content
                  : init == "random" ? Init::random
                  : init == "mix"    ? Init::mix
                                     : Init::file;
  }
  return config;
}

void check_files(const StylizeOptions& options) {
  if (options.content.empty() || options.styles.empty()) {
    throw HintedError(ErrorKind::usage, "stylize needs a content picture and a style picture",
                      "try: impasto stylize sample:scene sample:painting -o result.png");
  }
  if (!options.output) {
    throw HintedError(ErrorKind::usage, "stylize needs a file for the result", "add -o result.png");
  }
  for (const auto& path : {options.output, options.sheet}) {
    if (!path) continue;
    check_output_path(*path);
    refuse_overwriting_inputs(options, *path);
  }
  if (options.log) refuse_overwriting_inputs(options, *options.log);
  if (options.sheet == options.output) {
    fail(ErrorKind::usage, "--sheet and --output are the same file: {}", *options.output);
  }
}

}  // namespace impasto::app
