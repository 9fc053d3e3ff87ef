// SPDX-License-Identifier: MIT
#pragma once

#include "host/app/settings.hpp"
#include "host/batch/item_file.hpp"

namespace impasto::app {

/// Makes the items as `batch` does, or goes on with that; with `settings.dry_run`, says what that
/// would take. Throws as `batch` ends: ErrorKind::input where items failed.
void run_batch(const Settings& settings, const batch::ItemFile& items);

}  // namespace impasto::app
