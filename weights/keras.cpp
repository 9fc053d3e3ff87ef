// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>

#include "host/core/error.hpp"
#include "weights/hdf5_file.hpp"
#include "weights/published.hpp"

namespace impasto {
namespace {

/// "conv4_2" is "block4_conv2" in Keras.
std::string keras_name(const VggLayer& layer) {
  return fmt::format("block{}_conv{}", layer.name[4], layer.name[6]);
}

/// The datasets of a layer, by the names its group lists or, without a list, by looking: in the
/// group and in a group of it.
std::vector<std::string> find_datasets(const Hdf5File& file, const std::string& group) {
  std::vector<std::string> found;
  if (const auto names = file.strings(group, "weight_names")) {
    for (const std::string& name : *names) found.push_back(fmt::format("{}/{}", group, name));
    return found;
  }
  for (const std::string& name : file.members(group)) {
    const std::string object = fmt::format("{}/{}", group, name);
    if (!file.is_group(object)) {
      found.push_back(object);
      continue;
    }
    for (const std::string& inner : file.members(object)) {
      found.push_back(fmt::format("{}/{}", object, inner));
    }
  }
  return found;
}

/// The one dataset of a layer with this many axes.
std::string find_by_rank(const Hdf5File& file, const std::string& group, std::size_t rank) {
  std::vector<std::string> matches;
  for (const std::string& dataset : find_datasets(file, group)) {
    if (file.shape(dataset).size() == rank) matches.push_back(dataset);
  }
  if (matches.size() != 1) {
    file.refuse(group,
                fmt::format("holds {} arrays of {} axes; expected one", matches.size(), rank));
  }
  return matches.front();
}

/// (H,W,Cin,Cout), last axis fastest, to (Cout,H,W,Cin); `reverse` turns BGR to RGB.
std::vector<float> to_engine_layout(const std::vector<float>& kernel, std::size_t in,
                                    std::size_t out, bool reverse) {
  std::vector<float> weight(kernel.size());
  std::size_t at = 0;
  for (std::size_t co = 0; co < out; ++co) {
    for (std::size_t cell = 0; cell < 9; ++cell) {
      for (std::size_t ci = 0; ci < in; ++ci) {
        const std::size_t from = reverse ? in - 1 - ci : ci;
        weight[at++] = kernel[(cell * in + from) * out + co];
      }
    }
  }
  return weight;
}

/// Where a file keeps the groups of its layers.
struct Groups {
  std::string base;                  ///< "", "/model_weights" or "/layers"
  std::vector<std::string> members;  ///< sorted

  [[nodiscard]] bool hold(std::string_view name) const {
    return std::ranges::binary_search(members, name);
  }
};

/// A whole model keeps its weights one group further down, as do the files of Keras 3.
Groups find_groups(const Hdf5File& file) {
  for (const char* base : {"model_weights", "layers", "_layer_checkpoint_dependencies"}) {
    if (file.contains("/", base)) {
      const std::string group = fmt::format("/{}", base);
      return {group, file.members(group)};
    }
  }
  return {"", file.members("/")};
}

/// Keras 3 names layers by their class: conv2d, conv2d_1, ...
std::string numbered_name(std::size_t index) {
  return index == 0 ? "conv2d" : fmt::format("conv2d_{}", index);
}

struct NamedGroup {
  const VggLayer* layer;
  std::string group;
};

/// The groups of VGG's convolutions, input first, in so far as they are there; the first one and
/// those of VGG-16 always are.
std::vector<NamedGroup> find_layers(const Hdf5File& file) {
  const Groups groups = find_groups(file);
  std::vector<NamedGroup> found;
  if (groups.hold(numbered_name(0))) {
    const std::vector<const VggLayer*> larger = vgg19.convs();
    const bool is_vgg19 = groups.hold(numbered_name(larger.size() - 1));
    const auto convs = is_vgg19 ? larger : vgg16.convs();
    for (std::size_t i = 0; i < convs.size(); ++i) {
      found.push_back({convs[i], groups.base + "/" + numbered_name(i)});
    }
    return found;
  }
  const std::string other = other_network(groups.members);
  if (!other.empty()) file.refuse("/", "expected VGG-19 or VGG-16" + other);
  const std::vector<const VggLayer*> smaller = vgg16.convs();
  for (const VggLayer* layer : vgg19.convs()) {
    const std::string name = keras_name(*layer);
    const bool in_both = std::ranges::find(smaller, layer->name, &VggLayer::name) != smaller.end();
    if (in_both || groups.hold(name)) found.push_back({layer, groups.base + "/" + name});
  }
  return found;
}

}  // namespace

PublishedTraits read_keras(const SourceFile& source, const LayerSink& sink) {
  const Hdf5File file(source);
  if (file.numbers("/", "format_version")) {
    fail(ErrorKind::weights, "weights '{}' are in Impasto's format already", source.name());
  }
  for (const auto& [layer, group] : find_layers(file)) {
    const auto in = static_cast<std::uint64_t>(layer->in_channels);
    const auto out = static_cast<std::uint64_t>(layer->out_channels);
    const std::vector<float> kernel =
        file.read_floats(find_by_rank(file, group, 4), std::array{3UL, 3UL, in, out});
    ConvParameters conv{layer->in_channels, layer->out_channels, {}, {}};
    conv.weight = to_engine_layout(kernel, in, out, layer->in_channels == 3);
    conv.bias = file.read_floats(find_by_rank(file, group, 1), std::array{out});
    sink(*layer, std::move(conv));
  }
  return {};
}

}  // namespace impasto
