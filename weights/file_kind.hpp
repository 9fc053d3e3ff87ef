// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

namespace impasto {

/// What a file is by its first bytes, whatever its name says.
enum class FileKind : std::uint8_t {
  hdf5,
  matlab5,   ///< MATLAB level 5: .mat files of versions 5 to 7
  matlab73,  ///< MATLAB 7.3: an HDF5 file behind a MATLAB header
  other,
};

struct IdentifiedFile {
  FileKind kind;
  std::uint64_t bytes;
  std::string content;  ///< in words (file_content.hpp)
};

/// Looks at a file's beginning. Throws ErrorKind::weights when it cannot be read, is not a regular
/// file, is empty or has more than `max_bytes`.
IdentifiedFile identify_weight_file(const std::string& path, std::uint64_t max_bytes);

}  // namespace impasto
