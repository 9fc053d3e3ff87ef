// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "weights/published.hpp"
#include "weights/weights_file.hpp"

namespace impasto {

/// How far a conversion is: bytes read while "hashing", layers written while "converting".
struct ConvertProgress {
  std::string_view stage;
  std::uint64_t done;
  std::uint64_t total;
};

struct ConversionReport {
  std::string source_format;         ///< for people: "MatConvNet (MATLAB level 5)"
  NetworkTraits header;              ///< as written, with the hashes of the source
  const KnownFile* known = nullptr;  ///< the published file that the source is, or nullptr
  std::vector<std::string> notes;    ///< what was assumed, one sentence each
};

/// Converts published weights of VGG-19 or VGG-16, recognised by content, to Impasto's format:
/// MatConvNet's .mat, Keras' HDF5, PyTorch's .pth, .safetensors, or an archive with one of them in
/// it. Layer by layer, so that memory stays far below the size of either file; `out` appears
/// atomically. `preparation` is for files of PyTorch and safetensors alone.
///
/// Throws ErrorKind::weights when `in` is refused, ErrorKind::output when `out` cannot be written,
/// ErrorKind::usage when both are the same file.
ConversionReport convert_weights(const std::string& in, const std::string& out,
                                 Preparation preparation = Preparation::automatic,
                                 const std::function<void(const ConvertProgress&)>& progress = {});

}  // namespace impasto
