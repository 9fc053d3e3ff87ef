// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "host/model/weights.hpp"
#include "weights/weights_format.hpp"

namespace impasto {

/// Writes weights in Impasto's format, atomically. `origin` says where they come from; for the
/// built-in network only its converter_version is set. Throws ErrorKind::output with the path and
/// the reason.
void save_weights(const Weights& weights, const std::string& path, const WeightsOrigin& origin);

}  // namespace impasto
