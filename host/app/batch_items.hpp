// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "host/app/settings.hpp"
#include "host/batch/item_file.hpp"
#include "host/batch/item_list.hpp"

namespace impasto::app {

/// The items that the settings of `batch` ask for, every one of them checked: its settings, its
/// output's name, and that no two write one file.
batch::ItemFile list_items(const Settings& settings);

/// The items that `visit_all` hands to what it is called with, checked in the same way.
batch::ItemFile list_items(const Settings& settings,
                           const std::function<void(const batch::VisitItem&)>& visit_all);

/// Whether each item may have its own value of the setting.
bool is_of_picture(const Setting& row);

/// Throws ErrorKind::input for a file that a setting of pictures names, such as --init, and that
/// cannot be opened: every item would fail for the same reason.
void require_files(const Settings& settings);

/// The settings of one item: those of the batch, its own from a manifest, and its pictures.
Settings settings_of_item(const Settings& settings, const batch::Item& item);

/// Every file that an item writes: its result, its sheet and its snapshots.
std::vector<std::string> files_of_item(const Settings& settings, const batch::Item& item);

/// The same files by their names in the output folder, as items are called everywhere else.
std::vector<std::string> names_of_item(const Settings& settings, const batch::Item& item);

/// What a run keeps to besides its pictures, with names of files that hold wherever it goes on.
WordsByName lasting_words(const Settings& settings);

/// What a run's results depend on, as run.json keeps it. Two runs with equal configurations make
/// the same pictures of the same files.
Json batch_configuration(const Settings& settings, const batch::ItemFile& items,
                         std::uint64_t shards);

/// In words, what differs between two configurations; empty where nothing does.
std::string difference_of(const Json& begun, const Json& asked);

/// Throws ErrorKind::usage, saying what differs, unless the configurations are equal.
void require_same_configuration(const std::string& directory, const Json& begun, const Json& asked);

/// The settings of a run that goes on: those of its configuration, and those that `resume` takes.
Settings settings_of_run(const Json& configuration, const Settings& resume);

}  // namespace impasto::app
