// SPDX-License-Identifier: MIT
#pragma once

namespace CLI {
class App;
}

namespace impasto::app {

/// Reads the command line and runs the command it names; --help and --version go to stdout. Throws
/// ErrorKind::usage, saying which word is wrong and what may have been meant.
int parse_and_run(CLI::App& program, int argc, const char* const* argv);

}  // namespace impasto::app
