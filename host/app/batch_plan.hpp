// SPDX-License-Identifier: MIT
#pragma once

#include "host/app/settings.hpp"
#include "host/batch/item_file.hpp"

namespace impasto::app {

/// --dry-run of a batch: how many items there are, and the memory and time that the first takes, on
/// stdout. It reads that item's pictures and computes a few iterations. Throws
/// ErrorKind::out_of_memory where they do not fit.
void print_batch_plan(const Settings& settings, const batch::ItemFile& items);

}  // namespace impasto::app
