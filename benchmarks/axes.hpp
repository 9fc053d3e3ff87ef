// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/core/tensor.hpp"

namespace impasto::bench {

/// An option of a program besides Google Benchmark's, as --help shows it.
struct Option {
  std::string name;    ///< "--batch"
  std::string values;  ///< "N,..."; nothing for a flag
  std::string about;
  /// Gets what stands behind the '='. Throws ErrorKind::usage, naming the option.
  std::function<void(std::string_view)> take;
};

/// What an operation works on, by the name it was given.
struct NamedShape {
  std::string name;
  Shape size;  ///< of one image
};

/// The shapes of a command line: "conv3_1@512" is conv3_1's feature map for a picture of 512×512,
/// "64x48x128" a map of H×W×C, and "512" the maps at all of `layers`, where the operation stands in
/// VGG-19. An operation on pixels works on the picture, H×W×3, and on each once.
std::vector<NamedShape> shapes_of(std::span<const std::string> texts,
                                  std::span<const std::string_view> layers, bool on_pixels);

/// The style layers: from many pixels of few channels to few pixels of many.
inline constexpr std::array<std::string_view, 5> style_layers = {"conv1_1", "conv2_1", "conv3_1",
                                                                 "conv4_1", "conv5_1"};

// An axis is an option with a list of values; every combination of a program's axes is a row.

/// Whole numbers of at least `least`.
Option number_axis(std::string name, std::string about, std::int64_t least,
                   std::vector<std::int64_t>& into);
/// Any of the words in `known`; of any where there are none.
Option word_axis(std::string name, std::string values, std::string about,
                 std::vector<std::string_view> known, std::vector<std::string>& into);
/// --shape. The texts are known to be shapes.
Option shape_axis(std::vector<std::string>& into);
/// --dtype or --precision: fp32, tf32, bf16, fp16.
Option precision_axis(std::string name, std::string about, std::vector<std::string>& into);
/// --op, of those that a program knows.
Option op_axis(std::vector<std::string_view> known, std::vector<std::string>& into);
/// --batch.
Option batch_axis(std::vector<std::int64_t>& into);

Option file_option(std::string name, std::string about, std::string& into);
Option flag_option(std::string name, std::string about, bool& into);

/// A title and names below it, for --help.
std::string names_for_help(std::string_view title, std::span<const std::string_view> names);

/// Whether a list that was asked for, or that says nothing, has the name.
template <class Name>
bool chosen(const std::vector<Name>& names, std::string_view name) {
  return names.empty() || std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace impasto::bench
