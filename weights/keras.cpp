// SPDX-License-Identifier: MIT
#include <algorithm>
#include <optional>

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

}  // namespace

std::optional<std::array<float, 3>> read_keras(const SourceFile& source, const LayerSink& sink) {
  const Hdf5File file(source);
  if (file.numbers("/", "format_version")) {
    fail(ErrorKind::weights, "weights '{}' are in Impasto's format already", source.name());
  }
  // A whole model, saved with its weights, keeps them one group further down.
  const std::string base = file.contains("/", "model_weights") ? "/model_weights" : "";
  const std::vector<std::string> present = file.members(base.empty() ? "/" : base);
  const auto holds = [&](std::string_view name) {
    return std::ranges::binary_search(present, name);
  };
  if (holds("block5_conv3") && !holds("block3_conv4")) {
    file.refuse(base + "/block3_conv4", fmt::format("is missing{}", vgg16_note));
  }
  for (const VggLayer& layer : vgg19) {
    if (layer.kind != conv_kind) continue;
    const std::string group = base + "/" + keras_name(layer);
    const auto in = static_cast<std::uint64_t>(layer.in_channels);
    const auto out = static_cast<std::uint64_t>(layer.out_channels);
    const std::vector<float> kernel =
        file.read_floats(find_by_rank(file, group, 4), std::array{3UL, 3UL, in, out});
    ConvParameters conv{layer.in_channels, layer.out_channels, {}, {}};
    conv.weight = to_engine_layout(kernel, in, out, layer.in_channels == 3);
    conv.bias = file.read_floats(find_by_rank(file, group, 1), std::array{out});
    sink(layer, std::move(conv));
  }
  return vgg_mean;
}

}  // namespace impasto
