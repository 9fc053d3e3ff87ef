// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <optional>

#include "host/core/error.hpp"
#include "weights/hdf5_file.hpp"
#include "weights/mat.hpp"
#include "weights/published.hpp"

// Three layouts exist. The oldest importer wrote `filters` and `biases`; then came `weights`, a
// cell of both, beside the variables `classes` and `normalization`; the latest moves those into
// `meta`.

namespace impasto {
namespace {

using Kind = MatValue::Kind;

struct FilterAndBias {
  const MatValue* filter;
  const MatValue* bias;
};

[[noreturn]] void refuse(const std::string& path, std::string_view layer, const std::string& what) {
  fail(ErrorKind::weights, "weights '{}' are refused: {} {}", path, layer, what);
}

/// What a value is, where numbers are expected.
std::string found(const MatValue& value) {
  const std::string shape = shape_text(value.shape);
  return value.kind == Kind::numbers ? shape : "no plain numbers of " + shape;
}

FilterAndBias find_parameters(const std::string& path, std::string_view name,
                              const MatValue& layer) {
  const MatValue* both = layer.field("weights");
  if (both != nullptr && both->kind == Kind::cell && both->cells.size() == 2) {
    return {&both->cells[0], &both->cells[1]};
  }
  const MatValue* filter = layer.field("filters");
  const MatValue* bias = layer.field("biases");
  if (filter == nullptr || bias == nullptr) {
    refuse(path, name, "has neither 'weights', a cell of two arrays, nor 'filters' and 'biases'");
  }
  return {filter, bias};
}

/// (H,W,Cin,Cout), first axis fastest, to (Cout,H,W,Cin), last axis fastest.
std::vector<float> to_engine_layout(const std::vector<float>& filter, std::size_t in,
                                    std::size_t out) {
  std::vector<float> weight(filter.size());
  std::size_t at = 0;
  for (std::size_t co = 0; co < out; ++co) {
    for (std::size_t r = 0; r < 3; ++r) {
      for (std::size_t s = 0; s < 3; ++s) {
        for (std::size_t ci = 0; ci < in; ++ci) {
          weight[at++] = filter[r + 3 * (s + 3 * (ci + in * co))];
        }
      }
    }
  }
  return weight;
}

ConvParameters read_conv(const std::string& path, const VggLayer& layer, const MatValue& value) {
  const auto [filter, bias] = find_parameters(path, layer.name, value);
  const auto in = static_cast<std::uint64_t>(layer.in_channels);
  const auto out = static_cast<std::uint64_t>(layer.out_channels);
  const std::array<std::uint64_t, 4> expected = {3, 3, in, out};
  if (filter->kind != Kind::numbers || !std::ranges::equal(filter->shape, expected)) {
    refuse(path, layer.name,
           fmt::format("has filters of the wrong shape or kind: expected numbers of {}, found {}",
                       shape_text(expected), found(*filter)));
  }
  if (bias->kind != Kind::numbers || bias->numbers.size() != out) {
    refuse(path, layer.name,
           fmt::format("has biases of the wrong shape or kind: expected {} numbers, found {}", out,
                       found(*bias)));
  }
  check_values(path, layer.name, filter->numbers);
  check_values(path, layer.name, bias->numbers);
  return {layer.in_channels, layer.out_channels, to_engine_layout(filter->numbers, in, out),
          bias->numbers};
}

/// The mean of an image (H,W,3), or a pixel in any orientation.
std::optional<std::array<float, 3>> mean_of(const MatValue& image) {
  const std::size_t count = image.numbers.size();
  if (image.kind != Kind::numbers || count == 0 || count % 3 != 0) return std::nullopt;
  if (count > 3 && (image.shape.size() != 3 || image.shape[2] != 3)) return std::nullopt;
  const std::size_t pixels = count / 3;
  std::array<float, 3> mean{};
  for (std::size_t channel = 0; channel < 3; ++channel) {
    double sum = 0;
    for (std::size_t i = 0; i < pixels; ++i) sum += image.numbers[channel * pixels + i];
    mean.at(channel) = static_cast<float>(sum / static_cast<double>(pixels));
  }
  return mean;
}

}  // namespace

PublishedTraits read_matconvnet(const SourceFile& file, const LayerSink& sink) {
  const std::string& path = file.name();
  bool has_layers = false;
  bool has_net = false;
  bool has_vgg = false;
  std::vector<std::string> others;  // the names of the first layers that are none of VGG's
  std::optional<std::array<float, 3>> mean;

  const auto take_layer = [&](const MatValue& value) {
    const MatValue* name = value.field("name");
    if (name == nullptr) return;
    const VggLayer* layer = find_conv(name->text);
    constexpr std::size_t shown = 4;
    if (layer != nullptr) {
      has_vgg = true;
      sink(*layer, read_conv(path, *layer, value));
    } else if (others.size() < shown) {
      others.push_back(name->text);
    }
  };
  const auto take_mean = [&](const MatValue* normalization) {
    const MatValue* image =
        normalization == nullptr ? nullptr : normalization->field("averageImage");
    if (image == nullptr) return;
    mean = mean_of(*image);
    if (!mean) {
      refuse(path, "averageImage",
             fmt::format("is no mean pixel or image: found {}", found(*image)));
    }
    for (const float value : *mean) {
      if (!(value >= 0 && value <= 255)) {
        refuse(path, "averageImage",
               fmt::format("has the mean {}; expected 0 to 255", fmt::join(*mean, ", ")));
      }
    }
  };

  MatVisitor visitor;
  visitor.wants = [&](std::string_view name) {
    has_layers = has_layers || name == "layers";
    has_net = has_net || name == "net";
    return name == "layers" || name == "meta" || name == "normalization";
  };
  visitor.take = [&](std::string_view name, const MatValue& value) {
    if (name == "layers") take_layer(value);
    if (name == "meta") take_mean(value.field("normalization"));
    if (name == "normalization") take_mean(&value);
  };
  read_mat(file, visitor);
  if (!has_layers) {
    fail(ErrorKind::weights,
         "weights '{}' are refused: expected a variable 'layers', as in "
         "imagenet-vgg-verydeep-19.mat{}",
         path,
         has_net ? "; this file has a variable 'net', whose fields MATLAB saves as variables with "
                   "save('vgg19.mat', '-struct', 'net', '-v7')"
                 : "");
  }
  if (!has_vgg && !others.empty()) {
    fail(ErrorKind::weights,
         "weights '{}' are refused: expected VGG-19's or VGG-16's layers, conv1_1 and so on; found "
         "{}",
         path, fmt::join(others, ", "));
  }
  PublishedTraits traits;
  if (mean) {
    traits.network.mean = *mean;
  } else {
    traits.assumption = fmt::format("the file has no mean pixel; the published one is taken: {}",
                                    fmt::join(vgg_mean, " "));
  }
  return traits;
}

}  // namespace impasto
