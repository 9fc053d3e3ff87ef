// SPDX-License-Identifier: MIT
#pragma once

#include "host/core/tensor.hpp"

namespace impasto {

/// What feature maps hold of the network's activations. The largest activations of a trained VGG-19
/// are in the tens of thousands, and float16 ends at 65504. Convolutions, ReLU and pooling let a
/// factor through if the biases have it too, so the first layer's filters and all biases are
/// multiplied by it. A power of two changes no bit of a value (docs/decisions/0010).
constexpr double activation_scale(DataType activations) {
  return activations == DataType::fp16 ? 1.0 / 64 : 1;
}

}  // namespace impasto
