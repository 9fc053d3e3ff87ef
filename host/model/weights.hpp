// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/backend/backend.hpp"
#include "host/model/vgg.hpp"

namespace impasto {

/// The words for the ways to pool, in options, weight files and logs.
inline constexpr std::array<std::pair<std::string_view, kernels::PoolMode>, 4> pool_words = {
    {{"avg", kernels::PoolMode::average},
     {"max", kernels::PoolMode::max},
     {"l2", kernels::PoolMode::l2},
     {"max-blur", kernels::PoolMode::max_blur}}};

constexpr std::string_view pool_word(kernels::PoolMode wanted) {
  for (const auto& [word, mode] : pool_words) {
    if (mode == wanted) return word;
  }
  return {};
}

/// Where a network's parameters come from. Empty texts for the built-in network.
struct WeightsOrigin {
  std::string source_file;    ///< the name, without its folder
  std::string source_sha256;  ///< 64 hexadecimal digits
  std::string source_md5;     ///< 32 hexadecimal digits; some published files are known by it alone
  std::string converter_version;
};

/// What a network is, besides its parameters; what a weight file says about itself.
struct NetworkTraits {
  const VggLayers* layers = &vgg19;
  /// Red, green, blue: the network sees (pixel − mean) / deviation of pixels in [0,255].
  std::array<float, 3> mean = vgg_mean;
  std::array<float, 3> deviation = {1, 1, 1};
  PoolKind pool = {kernels::PoolMode::max, kernels::PoolRounding::up};  ///< it was trained with
  std::string description;  ///< for people: "VGG-19 from imagenet-vgg-verydeep-19.mat"
  std::string licence;      ///< of the parameters, in a line; empty where nobody said
  WeightsOrigin origin;
};

/// One convolution of the network with its name ("conv4_2").
struct NamedConv {
  std::string name;
  ConvParameters parameters;
};

/// The parameters of a network's convolutions, input first, in RGB order. It may stop early: a
/// network loaded for conv4_2 has no later layers.
struct Weights : NetworkTraits {
  std::vector<NamedConv> convs;
};

}  // namespace impasto
