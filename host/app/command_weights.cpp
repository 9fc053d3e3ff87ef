// SPDX-License-Identifier: MIT
#include "host/app/commands.hpp"
namespace impasto::app {
void add_weights_command(CLI::App&) {}
}  // namespace impasto::app
