// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/model/weights.hpp"
#include "weights/source_file.hpp"
#include "weights/stored_tensor.hpp"

namespace impasto {

// Networks as others publish them. Each reader turns its file's axes and channels into Impasto's
// and throws ErrorKind::weights for what it refuses.

/// Takes one layer of a published file in Impasto's layout. Layers come in the order of the file;
/// those that VGG-16 lacks stay away where the file holds VGG-16.
using LayerSink = std::function<void(const VggLayer& layer, ConvParameters parameters)>;

/// What a published file says besides its layers.
struct PublishedTraits {
  NetworkTraits network;  ///< its mean, deviation and pooling
  /// What had to be assumed, as a sentence; "" if nothing.
  std::string assumption = {};
};

/// How the pixels that a network was trained on were prepared. The files do not say it.
enum class Preparation : std::uint8_t {
  automatic,    ///< by the values of the first layer, else by the names of the layers
  caffe,        ///< blue, green, red from 0 to 255 without the mean pixel: the network's authors
  torchvision,  ///< red, green, blue from 0 to 1, normalised by ImageNet's mean and deviation
};

/// Reads MatConvNet's imagenet-vgg-verydeep-19.mat or -16.mat in any of its layouts. The classifier
/// is passed over.
PublishedTraits read_matconvnet(const SourceFile& file, const LayerSink& sink);

/// Reads Keras' VGG-19 or VGG-16 (HDF5) as any version of Keras saves it, from BGR to RGB.
PublishedTraits read_keras(const SourceFile& file, const LayerSink& sink);

/// VGG-19 or VGG-16 among the tensors of a PyTorch or safetensors file: which tensors, and how
/// their network sees pixels.
class StateDictNetwork {
 public:
  /// Refuses the file unless all layers of one network are there.
  StateDictNetwork(const SourceFile& file, std::vector<StoredTensor> tensors,
                   Preparation preparation);

  /// One layer after the other, input first.
  [[nodiscard]] PublishedTraits read(const LayerSink& sink) const;

 private:
  struct Conv {
    const VggLayer* layer;
    StoredTensor weight;
    StoredTensor bias;
  };
  std::vector<Conv> convs_;
  PublishedTraits traits_;
  bool blue_first_ = false;
};

/// Which network other than VGG these names of layers belong to: "; it holds ResNet". "" if unknown.
std::string other_network(std::span<const std::string> names);

/// The convolution of that name, or nullptr.
const VggLayer* find_conv(std::string_view name);

/// Throws ErrorKind::weights, naming the file and the layer, for a value that is not finite or not
/// smaller than 10,000 in magnitude.
void check_values(const std::string& path, std::string_view what, std::span<const float> values);

}  // namespace impasto
