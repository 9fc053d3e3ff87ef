// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "host/engine/stylizer.hpp"

namespace impasto::app {

/// Where an activation comes from; the attributes of its dataset.
struct ActivationOrigin {
  std::string layer;
  std::string image;
  std::string weights;
};

/// Writes an activation as an HDF5 file, atomically: one float32 dataset `activation` (H,W,C) with
/// its origin as attributes. Throws ErrorKind::output.
void save_activation(const Activation& activation, const ActivationOrigin& origin,
                     const std::string& path);

}  // namespace impasto::app
