// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace impasto::app {

/// What --version shows: on the first line name and version alone, for scripts; then the commit and
/// the compiler that built the program, its backends, and the libraries it runs with.
std::string about_program();

}  // namespace impasto::app
