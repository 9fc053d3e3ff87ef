// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "host/core/tensor.hpp"

namespace impasto::bench {

/// A shape by the name it was given: "conv3_1@512" is that layer's feature map for a picture of
/// 512×512, "64x48x128" a map of H×W×C. Operations on pixels take H×W×3 of it.
struct NamedShape {
  std::string name;
  Shape size;  ///< of one image
  Shape pixels;
};

/// What the command line asks for: every combination of these is a row.
struct Axes {
  std::vector<std::string> ops;  ///< none: all
  std::vector<NamedShape> shapes;
  std::vector<DataType> types;
  std::vector<std::int64_t> batches;
  std::vector<std::string> rungs;  ///< none: all
};

/// Takes --op, --shape, --dtype, --batch and --rung, each a list with commas, out of the arguments
/// and leaves the others. Throws ErrorKind::usage.
Axes take_axes(std::vector<char*>& arguments);

inline bool chosen(std::span<const std::string> names, std::string_view name) {
  return names.empty() || std::find(names.begin(), names.end(), name) != names.end();
}

/// How maps are stored: "fp32", "bf16" or "fp16".
std::string_view storage_name(DataType type);

}  // namespace impasto::bench
