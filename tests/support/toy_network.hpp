// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstdint>
#include <string>

#include "host/engine/stylizer.hpp"
#include "host/model/vgg.hpp"
#include "host/model/weights.hpp"
#include "kernels/common/philox.hpp"

namespace impasto::test {

/// Uniform floats in [lowest, highest), the same for the same seed.
inline std::vector<float> uniform(std::int64_t count, std::uint32_t seed, float lowest,
                                  float highest) {
  std::vector<float> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto bits = kernels::philox4x32({static_cast<std::uint32_t>(i), 0, 0, 0}, {seed, 2});
    values[i] = lowest + (highest - lowest) * kernels::philox_uniform(bits[0]);
  }
  return values;
}

/// A network with random weights of the right scale: cheap to make, good enough to differentiate.
inline Weights random_weights(std::size_t deepest = 16, const VggLayers& layers = vgg19) {
  Weights weights;
  weights.layers = &layers;
  weights.description = "random weights of a test";
  for (std::size_t layer = 0; layer <= deepest; ++layer) {
    const VggLayer& shape = layers[layer];
    if (shape.kind == pool_kind) continue;
    const auto seed = static_cast<std::uint32_t>(layer);
    const float limit = std::sqrt(6.0F / static_cast<float>(9 * shape.in_channels));
    weights.convs.push_back(
        {std::string(shape.name),
         {shape.in_channels, shape.out_channels,
          uniform(9 * shape.in_channels * shape.out_channels, seed, -limit, limit),
          uniform(shape.out_channels, seed + 100, -1, 1)}});
  }
  return weights;
}

/// Noise of the right range: no structure, so nothing cancels by symmetry.
inline Image random_image(std::int64_t height, std::int64_t width, std::uint32_t seed) {
  Image image;
  image.height = height;
  image.width = width;
  image.rgb = uniform(3 * height * width, seed, 0, 255);
  return image;
}

}  // namespace impasto::test
