// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <string>
#include <vector>

#include "host/backend/backend.hpp"
#include "host/model/vgg19.hpp"

namespace impasto {

/// One convolution of the network with its name ("conv4_2").
struct NamedConv {
  std::string name;
  ConvParameters parameters;
};

/// The parameters of VGG-19's convolutions, input first, in RGB order. It may stop early: a network
/// loaded for conv4_2 has no later layers.
struct Weights {
  std::vector<NamedConv> convs;
  std::array<float, 3> mean = vgg_mean;  ///< red, green, blue; subtracted from pixels in [0,255]
  std::string description;               ///< for people: "VGG-19 from imagenet-vgg-verydeep-19.mat"
  std::string source_sha256;             ///< of the file converted; empty for the built-in network
};

}  // namespace impasto
