// SPDX-License-Identifier: MIT
#pragma once

#include "host/app/settings.hpp"
#include "host/batch/item_file.hpp"
#include "host/batch/run_directory.hpp"

namespace impasto::app {

/// What --if-exists says about results that are there before a run begins. Throws ErrorKind::usage
/// for one where none may be, and for one that is an input and would be overwritten.
void check_existing(const Settings& settings, const batch::ItemFile& items);

/// With --if-exists skip, what is there counts as done.
void record_existing(const Settings& settings, const batch::RunDirectory& directory,
                     const batch::ItemFile& items);

}  // namespace impasto::app
