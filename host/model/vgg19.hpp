// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace impasto {

/// One layer of VGG-19 (Simonyan & Zisserman 2015, table 1, column E). A convolution includes its
/// ReLU, so the activation called conv4_2 is what other systems call relu4_2.
struct VggLayer {
  enum class Kind : std::uint8_t { conv, pool };
  std::string_view name;
  Kind kind;
  std::int64_t in_channels;
  std::int64_t out_channels;
};

inline constexpr auto conv_kind = VggLayer::Kind::conv;
inline constexpr auto pool_kind = VggLayer::Kind::pool;

/// The convolutional part, input first. The classifier is not part of style transfer.
inline constexpr std::array<VggLayer, 21> vgg19 = {{
    {"conv1_1", conv_kind, 3, 64},    {"conv1_2", conv_kind, 64, 64},
    {"pool1", pool_kind, 64, 64},     {"conv2_1", conv_kind, 64, 128},
    {"conv2_2", conv_kind, 128, 128}, {"pool2", pool_kind, 128, 128},
    {"conv3_1", conv_kind, 128, 256}, {"conv3_2", conv_kind, 256, 256},
    {"conv3_3", conv_kind, 256, 256}, {"conv3_4", conv_kind, 256, 256},
    {"pool3", pool_kind, 256, 256},   {"conv4_1", conv_kind, 256, 512},
    {"conv4_2", conv_kind, 512, 512}, {"conv4_3", conv_kind, 512, 512},
    {"conv4_4", conv_kind, 512, 512}, {"pool4", pool_kind, 512, 512},
    {"conv5_1", conv_kind, 512, 512}, {"conv5_2", conv_kind, 512, 512},
    {"conv5_3", conv_kind, 512, 512}, {"conv5_4", conv_kind, 512, 512},
    {"pool5", pool_kind, 512, 512},
}};

/// The index of a layer in `vgg19`. Also understands others' names: relu4_2, block4_conv2,
/// block4_pool. Throws ErrorKind::usage, naming the layers there are and the one nearest in
/// spelling.
std::size_t vgg19_index(std::string_view name);

/// The convolutions up to a layer and with it, input first. Throws as vgg19_index() does.
std::vector<const VggLayer*> convs_up_to(std::string_view deepest_layer);

/// Red, green, blue: the mean pixel of the training set, subtracted from every input.
inline constexpr std::array<float, 3> vgg_mean = {123.68F, 116.779F, 103.939F};

}  // namespace impasto
