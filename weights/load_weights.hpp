// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "host/model/weights.hpp"

namespace impasto {

/// Reads Impasto's weight file (docs/weights.md), only the layers up to `deepest_layer`.
///
/// The file is treated as untrusted: links other than hard ones, external and virtual storage,
/// plugins, other shapes and types, values that are not finite and anything that does not belong
/// there are refused; no other file is opened. Throws ErrorKind::weights naming the file, the
/// object, what was expected and what was found, and ErrorKind::usage for a layer that does not
/// exist.
Weights load_weights(const std::string& path, std::string_view deepest_layer = "conv5_4");

}  // namespace impasto
