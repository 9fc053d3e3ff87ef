// SPDX-License-Identifier: MIT
#pragma once

#include "host/app/stylize_options.hpp"
#include "host/app/stylize_run.hpp"

namespace impasto::app {

/// --dry-run: what would be done and what it needs, on stdout.
void print_plan(const StylizeOptions& options, const Config& config, Backend& backend,
                const StylizeInputs& inputs);

}  // namespace impasto::app
