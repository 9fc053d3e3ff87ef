// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "weights/convert.hpp"
#include "weights/known_files.hpp"

namespace impasto {

// The weights that a user has fetched: $XDG_DATA_HOME/impasto/weights, or ~/.local/share in place of
// the variable. A file there is called ID.h5 and is Impasto's own format.

/// Where the weights of that name are or would be. Throws ErrorKind::usage where neither
/// XDG_DATA_HOME nor HOME names a folder.
std::string stored_path(const KnownFile& file);

/// Whether they are there.
bool is_stored(const KnownFile& file);

/// The stored weights that the program prefers, if there are any.
std::optional<std::string> find_stored_weights();

/// The file that `impasto weights get` knows by this name, or nullptr.
const KnownFile* find_in_catalogue(std::string_view id);

struct FetchOptions {
  std::string url = {};  ///< in place of the publisher's
  std::chrono::seconds patience{30};
  std::function<void(std::uint64_t done, std::uint64_t total)> fetching = {};
  std::function<void(const ConvertProgress&)> converting = {};
};

/// What was fetched.
struct FetchReport {
  std::string path;  ///< in the store
  std::string sha256;
  bool checked;  ///< whether a published hash said the same
  ConversionReport conversion;
};

/// Fetches a published file, checks its hash, converts it and keeps it in the store, where it appears
/// complete. What has come of a download that fails stays beside the store for the next try; a
/// file with another hash is deleted. Throws as download() and convert_weights() do.
FetchReport fetch_weights(const KnownFile& file, const FetchOptions& options);

}  // namespace impasto
