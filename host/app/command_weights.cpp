// SPDX-License-Identifier: MIT
#include <memory>
#include <optional>
#include <string>

#include "host/app/commands.hpp"
#include "host/app/failure.hpp"
#include "host/app/inputs.hpp"
#include "host/app/terminal.hpp"
#include "host/app/values.hpp"
#include "host/app/version.hpp"
#include "host/backend/registry.hpp"
#include "weights/save_weights.hpp"

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

}  // namespace

void add_weights_command(CLI::App& program) {
  CLI::App* command = program.add_subcommand("weights", "Convert, inspect or generate a network");
  command->require_subcommand(0, 1);
  add_generate(*command);
}

}  // namespace impasto::app
