// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "host/backend/backend.hpp"
#include "host/model/vgg.hpp"
#include "weights/source_file.hpp"

namespace impasto {

/// Takes one layer of a published file in Impasto's layout. Layers come in the order of the file.
using LayerSink = std::function<void(const VggLayer& layer, ConvParameters parameters)>;

/// Reads MatConvNet's imagenet-vgg-verydeep-19.mat in any of its layouts and returns the mean pixel
/// (red, green, blue), if there is one. The classifier is passed over. Throws ErrorKind::weights.
std::optional<std::array<float, 3>> read_matconvnet(const SourceFile& file, const LayerSink& sink);

/// Reads Keras' VGG-19 weights (HDF5) in either naming, from BGR to RGB, and returns the mean
/// pixel. Throws ErrorKind::weights.
std::optional<std::array<float, 3>> read_keras(const SourceFile& file, const LayerSink& sink);

/// Added to the error where a file has exactly VGG-16's layers, so it is not a damaged VGG-19.
inline constexpr std::string_view vgg16_note = ": the file holds VGG-16; expected VGG-19";

/// The convolution of that name, or nullptr.
const VggLayer* find_conv(std::string_view name);

/// Throws ErrorKind::weights, naming the file and the layer, for a value that is not finite or not
/// smaller than 10,000 in magnitude.
void check_values(const std::string& path, std::string_view what, std::span<const float> values);

}  // namespace impasto
