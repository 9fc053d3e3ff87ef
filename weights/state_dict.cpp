// SPDX-License-Identifier: MIT
// Which of a file's tensors are VGG's convolutions, and what pixels their network expects.
#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>

#include "host/core/error.hpp"
#include "weights/published.hpp"

namespace impasto {
namespace {

// Names.

/// Where a convolution stands.
struct Place {
  int block;
  int conv;    ///< within the block
  int module;  ///< among all modules of the network: convolutions, ReLUs and pools
};

/// A way to name VGG's convolutions.
struct Naming {
  int modules_per_pool;
  std::string (*name)(const Place& place);
  Preparation usual;  ///< of those who name them so
  bool certain;       ///< whether nobody else names them so
  kernels::PoolMode pool;
};

constexpr std::array namings = {
    // torchvision, and whoever keeps its modules: "features.7", "7".
    Naming{1, [](const Place& place) { return std::to_string(place.module); },
           Preparation::torchvision, false, kernels::PoolMode::max},
    // Caffe's names, which Gatys keeps.
    Naming{1, [](const Place& place) { return fmt::format("conv{}_{}", place.block, place.conv); },
           Preparation::caffe, false, kernels::PoolMode::max},
    // stlpips_pytorch: five slices, and pools of two modules, a maximum and a blur.
    Naming{2,
           [](const Place& place) { return fmt::format("slice{}.{}", place.block, place.module); },
           Preparation::torchvision, true, kernels::PoolMode::max_blur},
};

/// The names of a network's convolutions, input first.
std::vector<std::string> names_of(const VggLayers& network, const Naming& naming) {
  std::vector<std::string> names;
  int module = 0;
  for (const VggLayer& layer : network) {
    if (layer.kind == pool_kind) {
      module += naming.modules_per_pool;
      continue;
    }
    names.push_back(naming.name({layer.name[4] - '0', layer.name[6] - '0', module}));
    module += 2;
  }
  return names;
}

using Tensors = std::map<std::string, const StoredTensor*, std::less<>>;

bool is_first_conv(const StoredTensor& tensor) {
  return std::ranges::equal(tensor.shape, std::array<std::uint64_t, 4>{64, 3, 3, 3});
}

/// What stands before `name` in the name of a tensor that could be VGG's first: "", "features.".
std::vector<std::string> find_prefixes(const Tensors& tensors, const std::string& name) {
  std::vector<std::string> prefixes;
  const std::string end = name + ".weight";
  for (const auto& [found, tensor] : tensors) {
    if (!found.ends_with(end) || !is_first_conv(*tensor)) continue;
    const std::string prefix = found.substr(0, found.size() - end.size());
    if (prefix.empty() || prefix.ends_with('.')) prefixes.push_back(prefix);
  }
  return prefixes;
}

/// Refuses what is built like VGG but is another of its family.
void refuse_relatives(const SourceFile& file, const Tensors& tensors, const std::string& prefix) {
  std::size_t convs = 0;
  bool batch_norm = false;
  for (auto at = tensors.lower_bound(prefix); at != tensors.end(); ++at) {
    const auto& [name, tensor] = *at;
    if (!name.starts_with(prefix)) break;
    const std::size_t rank = tensor->shape.size();
    if (rank == 4 && name.ends_with(".weight") && tensor->shape[2] == 3) ++convs;
    batch_norm = batch_norm || name.ends_with(".running_mean");
  }
  constexpr std::array<std::pair<std::size_t, std::string_view>, 4> family = {
      {{8, "VGG-11"}, {10, "VGG-13"}, {13, "VGG-16"}, {16, "VGG-19"}}};
  const auto* const relative =
      std::ranges::find(family, convs, &std::pair<std::size_t, std::string_view>::first);
  const std::string_view name = relative == family.end() ? "VGG" : relative->second;
  if (batch_norm) {
    file.refuse(
        fmt::format("it holds {} with batch normalisation; expected VGG-19 or VGG-16 "
                    "without, such as vgg19-dcbb9e9d.pth",
                    name));
  }
  if (convs == 8 || convs == 10) {
    file.refuse(fmt::format("it holds {}; expected VGG-19 or VGG-16", name));
  }
}

std::string missing(const Tensors& tensors, const std::string& prefix,
                    const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    for (const char* kind : {".weight", ".bias"}) {
      if (!tensors.contains(prefix + name + kind)) return prefix + name + kind;
    }
  }
  return "";
}

struct Found {
  const VggLayers* network;
  const Naming* naming;
  std::vector<std::string> names;  ///< of the convolutions, with what stands before them
};

Found find_network(const SourceFile& file, const Tensors& tensors) {
  std::string lacks;
  for (const Naming& naming : namings) {
    for (const std::string& prefix : find_prefixes(tensors, names_of(vgg19, naming).front())) {
      refuse_relatives(file, tensors, prefix);
      for (const VggLayers* network : vgg_networks) {
        std::vector<std::string> names = names_of(*network, naming);
        lacks = missing(tensors, prefix, names);
        if (!lacks.empty()) continue;
        for (std::string& name : names) name.insert(0, prefix);
        return {network, &naming, names};
      }
    }
  }
  std::vector<std::string> names;
  for (const auto& [name, tensor] : tensors) names.push_back(name);
  const std::string other = other_network(names);
  if (other.empty() && !lacks.empty()) file.refuse(fmt::format("{} is missing", lacks));
  const bool alexnet = std::ranges::any_of(tensors, [](const auto& entry) {
    return entry.second->shape.size() == 4 && entry.second->shape[3] == 11;
  });
  constexpr std::size_t shown = 4;
  if (names.size() > shown) names.resize(shown);
  file.refuse(fmt::format(
      "expected VGG-19 or VGG-16, with tensors such as features.0.weight; "
      "found {} tensors, such as {}{}",
      tensors.size(), names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", ")),
      alexnet ? "; it holds AlexNet or NIN" : other));
}

// Pixels.

/// W[0][channel][0][0] of conv1_1 as Simonyan & Zisserman trained it.
struct FirstValues {
  float blue, green, red;
};
constexpr std::array<FirstValues, 2> published = {
    {{0.34119523F, 0.46418372F, 0.39416704F}, {0.42947057F, 0.55037946F, 0.48001540F}}};

/// Whether the first layer is the published one, and then whether its first channel is blue.
std::optional<bool> published_blue_first(const std::vector<float>& weight) {
  const auto is = [&](std::size_t channel, float value) {
    return std::abs(weight[channel * 9] - value) < 1e-3F;  // also where it was stored in 16 bits
  };
  for (const auto& [blue, green, red] : published) {
    if (!is(1, green)) continue;
    if (is(0, blue) && is(2, red)) return true;
    if (is(0, red) && is(2, blue)) return false;
  }
  return std::nullopt;
}

// 255 times .485, .456, .406 and .229, .224, .225.
constexpr std::array<float, 3> imagenet_mean = {123.675F, 116.28F, 103.53F};
constexpr std::array<float, 3> imagenet_deviation = {58.395F, 57.12F, 57.375F};

/// (Cout,Cin,H,W) to (Cout,H,W,Cin); `reverse` turns BGR to RGB.
std::vector<float> to_engine_layout(const std::vector<float>& weight, const VggLayer& layer,
                                    bool reverse) {
  const auto in = static_cast<std::size_t>(layer.in_channels);
  const auto out = static_cast<std::size_t>(layer.out_channels);
  std::vector<float> turned(weight.size());
  std::size_t at = 0;
  for (std::size_t co = 0; co < out; ++co) {
    for (std::size_t cell = 0; cell < 9; ++cell) {
      for (std::size_t ci = 0; ci < in; ++ci) {
        const std::size_t from = reverse ? in - 1 - ci : ci;
        turned[at++] = weight[(co * in + from) * 9 + cell];
      }
    }
  }
  return turned;
}

}  // namespace

StateDictNetwork::StateDictNetwork(const SourceFile& file, std::vector<StoredTensor> tensors,
                                   Preparation preparation) {
  Tensors by_name;
  for (const StoredTensor& tensor : tensors) {
    if (!by_name.emplace(tensor.name, &tensor).second) {
      file.refuse(fmt::format("{} is there twice", tensor.name));
    }
  }
  const Found found = find_network(file, by_name);
  const std::vector<const VggLayer*> layers = found.network->convs();
  std::vector<const StoredTensor*> used;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const VggLayer& layer = *layers[i];
    const auto take = [&](const char* kind, std::vector<std::uint64_t> shape) {
      const StoredTensor& tensor = *by_name.at(found.names[i] + kind);
      if (tensor.shape != shape) {
        file.refuse(fmt::format("{} has the shape ({}); expected ({})", tensor.name,
                                fmt::join(tensor.shape, ", "), fmt::join(shape, ", ")));
      }
      used.push_back(&tensor);
      return tensor;
    };
    const auto in = static_cast<std::uint64_t>(layer.in_channels);
    const auto out = static_cast<std::uint64_t>(layer.out_channels);
    const StoredTensor weight = take(".weight", {out, in, 3, 3});
    convs_.push_back({&layer, weight, take(".bias", {out})});
  }
  check_apart(used);

  traits_.network.layers = found.network;
  traits_.network.pool.mode = found.naming->pool;
  const std::optional<bool> blue_first = published_blue_first(read_values(convs_[0].weight));
  if (preparation == Preparation::automatic) {
    preparation = blue_first ? Preparation::caffe : found.naming->usual;
    if (!blue_first && !found.naming->certain) {
      traits_.assumption = fmt::format(
          "the first layer does not have the published values; pixels are taken to be prepared as "
          "{} does, who names layers so (--preparation {} if they are not)",
          preparation == Preparation::caffe ? "Caffe" : "torchvision",
          preparation == Preparation::caffe ? "torchvision" : "caffe");
    }
  }
  if (preparation == Preparation::torchvision) {
    traits_.network.mean = imagenet_mean;
    traits_.network.deviation = imagenet_deviation;
  } else {
    blue_first_ = blue_first.value_or(true);
  }
}

PublishedTraits StateDictNetwork::read(const LayerSink& sink) const {
  for (const Conv& conv : convs_) {
    const bool reverse = blue_first_ && conv.layer->in_channels == 3;
    sink(*conv.layer, {conv.layer->in_channels, conv.layer->out_channels,
                       to_engine_layout(read_values(conv.weight), *conv.layer, reverse),
                       read_values(conv.bias)});
  }
  return traits_;
}

std::string other_network(std::span<const std::string> names) {
  /// What is in the name of a layer of that network and of no other here.
  constexpr std::array<std::pair<std::string_view, std::string_view>, 23> marks = {{
      {"visual.", "CLIP"},
      {"vision_model.", "CLIP"},
      {"diffusion_model.", "a diffusion model"},
      {"down_blocks.", "a diffusion model"},
      {"denseblock1.", "DenseNet"},
      {"conv2_block1_0_bn", "DenseNet or ResNet"},
      {"Mixed_5b.", "Inception"},
      {"inception3a.", "GoogLeNet"},
      {"squeeze.weight", "SqueezeNet"},
      {"layer1.0.conv1.", "ResNet"},
      {"conv2_block1_1_conv", "ResNet"},
      {"res2a_branch2a", "ResNet"},
      {"encoder_layer_0.", "a vision transformer"},
      {"blocks.0.attn.", "a vision transformer"},
      {"block1_sepconv1", "Xception"},
      {"block2_sepconv1", "Xception"},
      {"block1a_", "EfficientNet"},
      {"expanded_conv", "MobileNet"},
      {"features.0.0.", "MobileNet, EfficientNet or ConvNeXt"},
      {"stages.0.", "ConvNeXt"},
      {"res1.conv1.conv2d.", "a feed-forward network for style transfer"},
      {"lin0.model.", "the linear layers of LPIPS without a network"},
      {"quantize.embedding.", "VQGAN"},
  }};
  for (const auto& [mark, network] : marks) {
    for (const std::string& name : names) {
      if (name.find(mark) != std::string::npos) return fmt::format("; it holds {}", network);
    }
  }
  return "";
}

}  // namespace impasto
