// SPDX-License-Identifier: MIT
#include "weights/weights_reader.hpp"

#include <algorithm>
#include <string_view>

#include "host/core/error.hpp"
#include "host/core/printable.hpp"
#include "weights/file_kind.hpp"

namespace impasto {
namespace {

/// Opens what looks like HDF5 and tells of anything else what it is and what to do.
Hdf5File open_hdf5(const std::string& path) {
  const IdentifiedFile file = identify_weight_file(path, max_weights_bytes);
  switch (file.kind) {
    case FileKind::hdf5: return {path, file.bytes};
    case FileKind::matlab5:
      fail(ErrorKind::weights,
           "weights '{}' are in MATLAB's format; convert them first: impasto weights convert IN "
           "OUT.h5",
           path);
    case FileKind::matlab73:
      fail(ErrorKind::weights,
           "weights '{}' are a MATLAB 7.3 file; expected an HDF5 file written by impasto weights "
           "convert",
           path);
    default:
      fail(ErrorKind::weights,
           "weights '{}' are not an HDF5 file: expected the signature 89 48 44 46, found {}", path,
           file.beginning);
  }
}

bool is_hex(std::string_view text, std::size_t digits) {
  const auto hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return text.empty() || (text.size() == digits && std::ranges::all_of(text, hex));
}

}  // namespace

std::vector<const VggLayer*> convs_up_to(std::string_view deepest_layer) {
  std::vector<const VggLayer*> convs;
  const std::size_t last = vgg19_index(deepest_layer);
  for (std::size_t i = 0; i <= last; ++i) {
    if (vgg19.at(i).kind == conv_kind) convs.push_back(&vgg19.at(i));
  }
  return convs;
}

WeightsReader::WeightsReader(const std::string& path) : file_(open_hdf5(path)) {
  read_header();
  list_layers();
}

std::string WeightsReader::text(const std::string& attribute) const {
  const auto values = file_.strings("/", attribute);
  if (!values || values->size() != 1) {
    file_.refuse("/", fmt::format("lacks the attribute '{}', one text", attribute));
  }
  constexpr std::size_t longest = 255;
  return printable(values->front().substr(0, longest));
}

void WeightsReader::read_header() {
  const auto version = file_.numbers("/", "format_version");
  if (!version) {
    file_.refuse("/", file_.strings("/", "layer_names") || file_.contains("/", "model_weights")
                          ? "is in Keras' format; convert it first: impasto weights convert IN "
                            "OUT.h5"
                          : "lacks the attribute 'format_version'; expected a file written by "
                            "impasto weights convert");
  }
  if (version->size() != 1 || version->front() != weights_format_version) {
    file_.refuse("/", fmt::format("has format_version {}; this program reads {}",
                                  fmt::join(*version, ", "), weights_format_version));
  }
  const auto expect = [&](const std::string& attribute, std::string_view expected) {
    const std::string found = text(attribute);
    if (found == expected) return;
    file_.refuse(
        "/", fmt::format("has the attribute {} = '{}'; expected '{}'", attribute, found, expected));
  };
  expect("network", weights_network);
  expect("channel_order", weights_channel_order);

  const auto mean = file_.numbers("/", "mean_pixel");
  const auto in_range = [](double value) { return value >= 0 && value <= 255; };
  if (!mean || mean->size() != 3 || !std::ranges::all_of(*mean, in_range)) {
    file_.refuse("/", "lacks the attribute 'mean_pixel', three numbers from 0 to 255");
  }
  std::ranges::transform(*mean, header_.mean.begin(),
                         [](double value) { return static_cast<float>(value); });

  header_.description = text("description");
  header_.origin = {text("source_file"), text("source_sha256"), text("source_md5"),
                    text("converter_version")};
  if (!is_hex(header_.origin.source_sha256, 64) || !is_hex(header_.origin.source_md5, 32)) {
    file_.refuse("/", "has a source hash that is not 64 or 32 hexadecimal digits");
  }
}

void WeightsReader::list_layers() {
  const std::vector<std::string> found = file_.members("/");
  for (const VggLayer* layer : convs_up_to(vgg19.back().name)) {
    if (!std::ranges::binary_search(found, layer->name)) break;
    layers_.push_back(layer);
  }
  if (layers_.size() == found.size() && !layers_.empty()) return;
  // Either a layer is missing before another one, or there is something that does not belong here.
  const auto known = [](std::string_view name) {
    return std::ranges::any_of(vgg19, [&](const VggLayer& layer) {
      return layer.kind == conv_kind && layer.name == name;
    });
  };
  const auto stranger = std::ranges::find_if_not(found, known);
  if (stranger != found.end()) {
    file_.refuse("/" + *stranger, "does not belong here; expected only VGG-19's layers");
  }
  const auto all = convs_up_to(vgg19.back().name);
  file_.refuse(fmt::format("/{}", all.at(layers_.size())->name), "is missing");
}

ConvParameters WeightsReader::read(const VggLayer& layer) const {
  const std::string group = fmt::format("/{}", layer.name);
  for (const std::string& name : file_.members(group)) {
    if (name != "weight" && name != "bias") {
      file_.refuse(group + "/" + name, "does not belong here; expected weight and bias");
    }
  }
  const auto in = static_cast<std::uint64_t>(layer.in_channels);
  const auto out = static_cast<std::uint64_t>(layer.out_channels);
  ConvParameters parameters{layer.in_channels, layer.out_channels, {}, {}};
  parameters.weight = file_.read_floats(group + "/weight", std::array{out, 3UL, 3UL, in});
  parameters.bias = file_.read_floats(group + "/bias", std::array{out});
  return parameters;
}

}  // namespace impasto
