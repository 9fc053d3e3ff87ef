// SPDX-License-Identifier: MIT
#include <string>

#include "host/app/commands.hpp"
#include "host/app/inputs.hpp"
#include "host/app/settings.hpp"
#include "host/app/terminal.hpp"
#include "host/image/encode.hpp"

namespace impasto::app {
namespace {

void write_samples(const Settings& settings) {
  for (const std::string name : {"scene", "painting"}) {
    const OutputPath path = settings.folder.file(name + ".png");
    save_image(load_picture("sample:" + name, settings.size), path.string());
    print_result(path.string() + "\n");
  }
}

}  // namespace

void add_samples_command(CLI::App& program) {
  add_command(program,
              {.name = "samples",
               .summary = "Write the two built-in pictures to a folder",
               .example = "impasto samples .",
               .footer = "'stylize' also takes them by name: sample:scene and sample:painting."},
              write_samples);
}

}  // namespace impasto::app
