// SPDX-License-Identifier: MIT
#include "weights/builtin.hpp"

#include <array>
#include <cmath>
#include <numbers>

#include "host/core/error.hpp"
#include "kernels/common/philox.hpp"
#include "weights/weights_format.hpp"

namespace impasto {
namespace {

/// Keeps these draws apart from others with the same seed.
constexpr std::uint32_t stream = 0x56474731U;

/// Four normal numbers from four words: Box and Muller's transform, twice.
std::array<float, 4> normals(const std::array<std::uint32_t, 4>& words) {
  std::array<float, 4> result{};
  for (std::size_t i = 0; i < 4; i += 2) {
    // In (0,1], so that the logarithm is finite.
    const float u = kernels::philox_uniform(words.at(i)) + 0x1p-24F;
    const float angle = 2 * std::numbers::pi_v<float> * kernels::philox_uniform(words.at(i + 1));
    const float radius = std::sqrt(-2 * std::log(u));
    result.at(i) = radius * std::cos(angle);
    result.at(i + 1) = radius * std::sin(angle);
  }
  return result;
}

ConvParameters random_conv(const VggLayer& layer, std::uint64_t seed) {
  ConvParameters conv{layer.in_channels, layer.out_channels, {}, {}};
  conv.bias.resize(static_cast<std::size_t>(layer.out_channels));
  conv.weight.resize(static_cast<std::size_t>(9 * layer.in_channels * layer.out_channels));
  const float deviation = std::sqrt(2.0F / static_cast<float>(9 * layer.in_channels));
  const std::array<std::uint32_t, 2> key = {static_cast<std::uint32_t>(seed),
                                            static_cast<std::uint32_t>(seed >> 32U)};
  const auto index = static_cast<std::uint32_t>(&layer - vgg19.data());
  // Every layer has a multiple of four weights and fewer than 2^32.
  const auto groups = static_cast<std::int64_t>(conv.weight.size() / 4);
#pragma omp parallel for schedule(static)
  for (std::int64_t group = 0; group < groups; ++group) {
    const std::array<float, 4> four =
        normals(kernels::philox4x32({static_cast<std::uint32_t>(group), 0, index, stream}, key));
    for (std::size_t i = 0; i < 4; ++i) {
      conv.weight[static_cast<std::size_t>(group) * 4 + i] = deviation * four.at(i);
    }
  }
  return conv;
}

}  // namespace

Weights builtin_weights(std::uint64_t seed, std::string_view deepest_layer) {
  Weights weights;
  weights.description = fmt::format("VGG-19 built in (random, calibrated; seed {})", seed);
  for (const VggLayer* layer : convs_up_to(deepest_layer)) {
    weights.convs.push_back({std::string(layer->name), random_conv(*layer, seed)});
  }
  return weights;
}

}  // namespace impasto
