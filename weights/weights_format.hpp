// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "host/model/vgg19.hpp"

namespace impasto {

// Impasto's weight file is HDF5: for each convolution a group ("conv1_1") with `weight`
// (Cout,3,3,Cin) and `bias` (Cout), both float32, and the attributes below at the root.
// docs/weights.md says it for users.

inline constexpr int weights_format_version = 1;
inline constexpr std::string_view weights_network = "VGG-19";
inline constexpr std::string_view weights_channel_order = "RGB";
inline constexpr std::uint64_t max_weights_bytes = std::uint64_t{1} << 30U;

/// Where weights come from. Empty texts for the built-in network.
struct WeightsOrigin {
  std::string source_file;    ///< the name, without its folder
  std::string source_sha256;  ///< 64 hexadecimal digits
  std::string source_md5;     ///< 32 hexadecimal digits; some published files are known by it alone
  std::string converter_version;
};

/// What a weight file says about itself.
struct WeightsHeader {
  WeightsOrigin origin;
  std::array<float, 3> mean = vgg_mean;  ///< red, green, blue
  std::string description;               ///< for people
};

/// The convolutions of VGG-19 up to a layer and with it, input first. Throws ErrorKind::usage for a
/// layer that does not exist.
std::vector<const VggLayer*> convs_up_to(std::string_view deepest_layer);

}  // namespace impasto
