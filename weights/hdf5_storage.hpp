// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "weights/hdf5_handle.hpp"

namespace impasto {

/// Why a dataset's storage is not to be read, as a clause ("has external storage; ..."); nothing
/// when it lies within this file's `file_bytes`, complete, and unfolds to no more than it declares.
std::optional<std::string> storage_objection(const Hdf5Dataset& dataset, std::uint64_t file_bytes);

}  // namespace impasto
