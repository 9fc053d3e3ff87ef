// SPDX-License-Identifier: MIT
#pragma once

#include "host/app/settings.hpp"

namespace impasto::app {

/// What `score` says of the picture `settings.image`: its losses, and under "quality" what no run
/// minimises. Notes go to stderr, unless the settings are quiet.
Json score_of(const Settings& settings);

}  // namespace impasto::app
