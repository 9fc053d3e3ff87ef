// SPDX-License-Identifier: MIT
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "host/app/commands.hpp"
#include "host/app/failure.hpp"
#include "host/app/inputs.hpp"
#include "host/app/terminal.hpp"
#include "host/app/values.hpp"
#include "host/image/encode.hpp"

namespace impasto::app {
namespace {

struct SamplesOptions {
  std::string folder;
  std::optional<std::int64_t> size;
};

void write_samples(const SamplesOptions& options) {
  if (options.folder.empty()) {
    throw HintedError(ErrorKind::usage, "samples needs a folder to write to",
                      "try: impasto samples .");
  }
  for (const std::string name : {"scene", "painting"}) {
    const std::string path = (std::filesystem::path(options.folder) / (name + ".png")).string();
    check_output_path(path);
    save_image(load_picture("sample:" + name, options.size), path);
    print_result(path + "\n");
  }
}

}  // namespace

void add_samples_command(CLI::App& program) {
  CLI::App* command =
      program.add_subcommand("samples", "Write the two built-in pictures to a folder");
  command->footer("'stylize' also takes them by name: sample:scene and sample:painting.");
  const auto options = std::make_shared<SamplesOptions>();
  command->add_option("FOLDER", options->folder, "gets scene.png and painting.png");
  add_whole(*command, "--size", options->size, {16, largest_size},
            "longer side in pixels (default: 512)");
  command->callback([options] { write_samples(*options); });
}

}  // namespace impasto::app
