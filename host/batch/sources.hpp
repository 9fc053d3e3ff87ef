// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "host/batch/item.hpp"

namespace impasto::batch {

/// A picture that somebody names: by itself, in a folder, in a list, or in a row of a manifest.
struct Source {
  std::string path;  ///< absolute, or a sample
  /// What it is called wherever the batch runs: its path below the folder it was found in, the name
  /// of the file, or the id of its row. Styles are drawn by it.
  std::string id = {};
  std::string tree = {};                 ///< the folders between the named one and the picture
  std::vector<std::string> styles = {};  ///< of a row
  std::string output = {};               ///< of a row
  Options options = {};                  ///< of a row
};

using VisitSource = std::function<void(Source)>;

/// Visits the pictures that are meant by names, in an order that depends on nothing but the names:
/// files and samples; archives, with all pictures in them; folders, with all pictures in them and in
/// the folders below, hidden ones and `results` left out, where results go; and patterns as the shell has
/// them, where no file has such a name.
/// Throws ErrorKind::input for what is not there and for a folder or an archive without a picture, and
/// ErrorKind::usage for a folder or a pattern that would find the results as well.
void visit_named(std::span<const std::string> names, const std::string& results,
                 const VisitSource& visit);

/// Visits the files that a file lists, or standard input for "-": each ends with a NUL where there
/// is one in its first 64 KiB, else with a line feed. Throws ErrorKind::input.
void visit_list(const std::string& file, const VisitSource& visit);

/// Visits the rows of a manifest: JSON lines, or CSV (RFC 4180, with a header) where the name ends
/// in .csv. Throws ErrorKind::input with the line of what makes no sense.
void visit_manifest(const std::string& file, const VisitSource& visit);

}  // namespace impasto::batch
