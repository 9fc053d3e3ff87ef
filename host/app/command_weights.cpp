// SPDX-License-Identifier: MIT
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "host/app/commands.hpp"
#include "host/app/failure.hpp"
#include "host/app/inputs.hpp"
#include "host/app/signals.hpp"
#include "host/app/terminal.hpp"
#include "host/app/values.hpp"
#include "host/app/version.hpp"
#include "host/app/weights_report.hpp"
#include "host/backend/registry.hpp"
#include "weights/convert.hpp"
#include "weights/weights_file.hpp"

namespace impasto::app {
namespace {

void add_generate(CLI::App& weights) {
  struct Options {
    std::string output;
    std::optional<std::int64_t> seed;
  };
  CLI::App* command = weights.add_subcommand("generate", "Write the built-in network to a file");
  const auto options = std::make_shared<Options>();
  command->add_option("OUT", options->output, "the weight file to write: .h5");
  add_whole(*command, "--seed", options->seed, {0}, "of its random weights (default: 0)");
  command->callback([options] {
    if (options->output.empty()) {
      throw HintedError(ErrorKind::usage, "generate needs a file to write: OUT",
                        "try: impasto weights generate builtin.h5");
    }
    const std::unique_ptr<Backend> backend = make_backend("auto");
    const auto seed = static_cast<std::uint64_t>(options->seed.value_or(0));
    const Weights network = make_builtin_weights(seed, *backend, "conv5_4");
    WeightsOrigin origin;
    origin.converter_version = version;
    save_weights(network, options->output, origin);
    print_result(options->output + "\n");
  });
}

/// One redrawn line on a terminal; elsewhere nothing, it takes seconds.
void show_progress(const ConvertProgress& progress) {
  stop_if_asked();
  if (!terminal().redraws) return;
  const bool done = progress.done >= progress.total;
  message("\r{} {} %\x1b[K{}", progress.stage,
          100 * progress.done / std::max<std::uint64_t>(progress.total, 1), done ? "\r\x1b[K" : "");
}

void add_convert(CLI::App& weights) {
  struct Options {
    std::string input;
    std::string output;
  };
  CLI::App* command =
      weights.add_subcommand("convert", "Turn a published VGG-19 into a file for --weights");
  command->footer(
      "IN is imagenet-vgg-verydeep-19.mat (MatConvNet) or\n"
      "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5 (Keras), recognised by content.");
  const auto options = std::make_shared<Options>();
  command->add_option("IN", options->input, "the published file");
  command->add_option("OUT", options->output, "the weight file to write: .h5");
  command->callback([options] {
    if (options->output.empty()) {
      throw HintedError(ErrorKind::usage, "convert needs a file to read and one to write: IN OUT",
                        "try: impasto weights convert imagenet-vgg-verydeep-19.mat vgg19.h5");
    }
    const ConversionReport report = convert_weights(options->input, options->output, show_progress);
    message("Source   {}, SHA-256 {}\n", report.source_format, report.header.origin.source_sha256);
    if (report.known != nullptr) {
      message("Known    {}, as {} published it\n", report.known->name, report.known->publisher);
    } else {
      message(
          "Unknown  no published file has this hash; make sure that you trust where it is from\n");
    }
    print_result(options->output + "\n");
  });
}

void add_inspect(CLI::App& weights) {
  struct Options {
    std::string file;
    bool json = false;
  };
  CLI::App* command = weights.add_subcommand("inspect", "Show what a weight file holds");
  const auto options = std::make_shared<Options>();
  command->add_option("FILE", options->file, "a file that convert or generate wrote");
  command->add_flag("--json", options->json, "as JSON");
  command->callback([options] {
    if (options->file.empty()) {
      throw HintedError(ErrorKind::usage, "inspect needs a weight file: FILE",
                        "try: impasto weights inspect vgg19.h5");
    }
    const WeightsReport report = inspect_weights(options->file);
    print_result(options->json ? dump(describe(report)) + "\n" : table(report, options->file));
  });
}

}  // namespace

void add_weights_command(CLI::App& program) {
  CLI::App* command = program.add_subcommand("weights", "Convert, inspect or generate a network");
  command->require_subcommand(0, 1);
  add_convert(*command);
  add_inspect(*command);
  add_generate(*command);
}

}  // namespace impasto::app
