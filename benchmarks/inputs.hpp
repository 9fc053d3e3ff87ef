// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "host/backend/backend.hpp"
#include "host/model/weights.hpp"

namespace impasto::bench {

/// A tensor with memory of its own.
struct OwnedTensor {
  OwnedTensor(Backend& backend, const Shape& shape, DataType type);
  operator const Tensor&() const { return tensor; }

  Tensor tensor;
  Buffer memory;
};

// Inputs are ordinary numbers, the same in every run: zeros, denormals and NaN have speeds of their
// own.

/// Uniform in [-scale, scale].
OwnedTensor uniform(Backend& backend, const Shape& shape, DataType type, double scale = 1);
/// Square matrices as they come of Gram matrices: float, or double in the reference.
OwnedTensor symmetric(Backend& backend, const Shape& square, double scale = 1);
/// What a ReLU leaves of that: half of the values are zero.
OwnedTensor features(Backend& backend, const Shape& shape, double scale = 1);

/// Filters and biases with He's deviation √(2 / 9·Cin), which keeps the scale from layer to layer.
ConvParameters he_parameters(std::int64_t in_channels, std::int64_t out_channels);
/// VGG-19 up to conv5_1 with such parameters.
Weights he_weights();

}  // namespace impasto::bench
