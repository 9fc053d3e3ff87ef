// SPDX-License-Identifier: MIT
// Configuration files.
#include <CLI/CLI.hpp>

#include "host/app/settings.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace impasto::fuzz {

std::vector<std::string> seeds() {
  return {
      R"(# Everything that a configuration file may have.
size = 768
style-weight = 2.5
style_layers = ["conv1_1:0.2", 'relu2_1:0.3', "block3_conv1"]

[stylize]
iterations = 300
output = "out.png"
dry-run = true

[weights.generate]
seed = 0x20
)",
      R"(backend = "reference"
[score]
content-layers = [
  "conv4_2:0.7",
  """conv5_2""",
]
pooling = "max"
size = 1_000
weights = '''a "file".h5'''
)",
      "\xEF\xBB\xBFquiet = false\r\n", "[score]\n[check]\nagainst = 'reference'\n"};
}

void read_input(const std::string& path) {
  CLI::App program;
  app::add_command(program, {.name = "score", .summary = "", .example = "", .footer = ""},
                   [](const app::Settings&) {});
  program.parse(std::vector<std::string>{path, "--config", "sample:painting", "--style",
                                         "sample:scene", "--content", "sample:scene", "score"});
}

}  // namespace impasto::fuzz
