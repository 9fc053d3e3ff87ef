// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

#include "weights/source_file.hpp"

namespace impasto {

/// What a file is by its first bytes, whatever its name says.
enum class FileKind : std::uint8_t {
  hdf5,
  matlab5,   ///< MATLAB level 5: .mat files of versions 5 to 7
  matlab73,  ///< MATLAB 7.3: an HDF5 file behind a MATLAB header
  zip,       ///< PyTorch's files since 1.6, Keras 3's, wheels
  pickle,    ///< PyTorch's files before 1.6
  safetensors,
  other,
};

struct IdentifiedFile {
  FileKind kind;
  std::string content;  ///< in words (file_content.hpp)
};

/// Looks at a file's beginning.
IdentifiedFile identify(const SourceFile& file);

}  // namespace impasto
