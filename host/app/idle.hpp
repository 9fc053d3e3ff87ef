// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "host/app/settings.hpp"

namespace impasto::app {

/// What the user should know who gave an option on the command line that changes nothing beside the other
/// settings: a line for each such option, which names it and what it lacks.
std::vector<std::string> notes_of_idle_options(const Settings& settings);

/// The same of options whose effect the sizes of the pictures decide: `scales` is how many there are.
std::vector<std::string> notes_of_scales(const Settings& settings, std::size_t scales);

}  // namespace impasto::app
