// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace impasto {

/// One layer. A convolution includes its ReLU, so the activation called conv4_2 is what other
/// systems call relu4_2.
struct VggLayer {
  enum class Kind : std::uint8_t { conv, pool };
  std::string_view name;
  Kind kind;
  std::int64_t in_channels;
  std::int64_t out_channels;
};

inline constexpr auto conv_kind = VggLayer::Kind::conv;
inline constexpr auto pool_kind = VggLayer::Kind::pool;

/// The layers of one network of Simonyan & Zisserman (2015, table 1), input first. The classifier
/// is not part of style transfer.
class VggLayers {
 public:
  constexpr VggLayers(std::string_view name, std::span<const VggLayer> layers)
      : name_(name), layers_(layers) {}

  [[nodiscard]] constexpr std::string_view name() const { return name_; }  ///< "VGG-19"
  [[nodiscard]] constexpr auto begin() const { return layers_.begin(); }
  [[nodiscard]] constexpr auto end() const { return layers_.end(); }
  [[nodiscard]] constexpr std::size_t size() const { return layers_.size(); }
  [[nodiscard]] constexpr const VggLayer& operator[](std::size_t index) const {
    return layers_[index];
  }

  /// The index of a layer. Also understands others' names: relu4_2, block4_conv2, block4_pool.
  /// Throws ErrorKind::usage, naming the layers there are and the one nearest in spelling.
  [[nodiscard]] std::size_t index(std::string_view name) const;
  /// The index of a layer of this network.
  [[nodiscard]] std::size_t index(const VggLayer& layer) const {
    return static_cast<std::size_t>(&layer - layers_.data());
  }
  /// The convolutions, input first.
  [[nodiscard]] std::vector<const VggLayer*> convs() const { return convs_up_to(layers_.back()); }
  /// The convolutions up to a layer and with it.
  [[nodiscard]] std::vector<const VggLayer*> convs_up_to(const VggLayer& deepest) const;
  [[nodiscard]] std::vector<const VggLayer*> convs_up_to(std::string_view deepest) const {
    return convs_up_to(layers_[index(deepest)]);
  }

 private:
  std::string_view name_;
  std::span<const VggLayer> layers_;
};

namespace vgg_tables {

/// Column D.
inline constexpr std::array<VggLayer, 18> sixteen = {{
    {"conv1_1", conv_kind, 3, 64},
    {"conv1_2", conv_kind, 64, 64},
    {"pool1", pool_kind, 64, 64},
    {"conv2_1", conv_kind, 64, 128},
    {"conv2_2", conv_kind, 128, 128},
    {"pool2", pool_kind, 128, 128},
    {"conv3_1", conv_kind, 128, 256},
    {"conv3_2", conv_kind, 256, 256},
    {"conv3_3", conv_kind, 256, 256},
    {"pool3", pool_kind, 256, 256},
    {"conv4_1", conv_kind, 256, 512},
    {"conv4_2", conv_kind, 512, 512},
    {"conv4_3", conv_kind, 512, 512},
    {"pool4", pool_kind, 512, 512},
    {"conv5_1", conv_kind, 512, 512},
    {"conv5_2", conv_kind, 512, 512},
    {"conv5_3", conv_kind, 512, 512},
    {"pool5", pool_kind, 512, 512},
}};

/// Column E.
inline constexpr std::array<VggLayer, 21> nineteen = {{
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

}  // namespace vgg_tables

inline constexpr VggLayers vgg16("VGG-16", vgg_tables::sixteen);
/// It has every layer of VGG-16 and three convolutions more.
inline constexpr VggLayers vgg19("VGG-19", vgg_tables::nineteen);
inline constexpr std::array<const VggLayers*, 2> vgg_networks = {&vgg19, &vgg16};

/// Our name of a layer that a network here has: "conv4_2" for "relu4_2". Throws as
/// VggLayers::index() does.
inline std::string_view vgg_layer_name(std::string_view name) {
  return vgg19[vgg19.index(name)].name;
}

/// Red, green, blue: the mean pixel of the training set, as Simonyan & Zisserman published it.
inline constexpr std::array<float, 3> vgg_mean = {123.68F, 116.779F, 103.939F};

}  // namespace impasto
