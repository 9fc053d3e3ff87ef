// SPDX-License-Identifier: MIT
#include "benchmarks/ladder/axes.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "host/core/error.hpp"

namespace impasto::bench {
namespace {

std::vector<std::string> parts(std::string_view text, char separator) {
  std::vector<std::string> all;
  for (;;) {
    const std::size_t end = text.find(separator);
    all.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return all;
    text.remove_prefix(end + 1);
  }
}

std::int64_t positive(std::string_view option, std::string_view text) {
  std::int64_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || stop != text.data() + text.size() || number < 1 ||
      number > (1 << 20)) {
    fail(ErrorKind::usage, "{}: expected a whole number from 1 to {}, got '{}'", option, 1 << 20,
         text);
  }
  return number;
}

/// Layers of VGG-19 by their names: the b-th block lies behind b − 1 pools, which halve and round
/// up, and has 64, 128, 256, 512 and 512 channels.
NamedShape layer_at(const std::string& text, std::size_t at) {
  constexpr std::array<std::int64_t, 5> channels = {64, 128, 256, 512, 512};
  const std::string layer = text.substr(0, at);
  const std::int64_t size = positive("--shape", std::string_view(text).substr(at + 1));
  const bool known = layer.size() == 7 && layer.starts_with("conv") && layer[5] == '_' &&
                     layer[4] >= '1' && layer[4] <= '5' && layer[6] >= '1' && layer[6] <= '4';
  if (!known) {
    fail(ErrorKind::usage, "--shape: expected a layer of VGG-19 before '@', got '{}'", layer);
  }
  const auto block = static_cast<std::size_t>(layer[4] - '1');
  const std::int64_t side = (size + (std::int64_t{1} << block) - 1) >> block;
  return {text, {1, side, side, channels[block]}, {1, size, size, 3}};
}

NamedShape shape_of(const std::string& text) {
  const std::size_t at = text.find('@');
  if (at != std::string::npos) return layer_at(text, at);
  const std::vector<std::string> sides = parts(text, 'x');
  if (sides.size() != 3) {
    fail(ErrorKind::usage, "--shape: expected LAYER@SIZE or HxWxC, got '{}'", text);
  }
  const std::int64_t height = positive("--shape", sides[0]);
  const std::int64_t width = positive("--shape", sides[1]);
  return {text, {1, height, width, positive("--shape", sides[2])}, {1, height, width, 3}};
}

DataType type_of(const std::string& text) {
  for (const DataType type : {DataType::f32, DataType::bf16, DataType::fp16}) {
    if (text == storage_name(type)) return type;
  }
  fail(ErrorKind::usage, "--dtype: expected fp32, bf16 or fp16, got '{}'", text);
}

}  // namespace

std::string_view storage_name(DataType type) {
  return type == DataType::f32 ? "fp32" : type == DataType::bf16 ? "bf16" : "fp16";
}

Axes take_axes(std::vector<char*>& arguments) {
  Axes axes;
  std::vector<char*> rest;
  for (char* argument : arguments) {
    const std::string text = argument;
    const std::string option = text.substr(0, text.find('='));
    const std::vector<std::string> values =
        option.size() < text.size() ? parts(std::string_view(text).substr(option.size() + 1), ',')
                                    : std::vector<std::string>{};
    if (option == "--op") {
      axes.ops = values;
    } else if (option == "--rung") {
      axes.rungs = values;
    } else if (option == "--shape") {
      for (const std::string& value : values) axes.shapes.push_back(shape_of(value));
    } else if (option == "--dtype") {
      for (const std::string& value : values) axes.types.push_back(type_of(value));
    } else if (option == "--batch") {
      for (const std::string& value : values) axes.batches.push_back(positive(option, value));
    } else {
      rest.push_back(argument);
    }
  }
  if (axes.types.empty()) axes.types = {DataType::f32, DataType::bf16};
  if (axes.batches.empty()) axes.batches = {1};
  arguments = rest;
  return axes;
}

}  // namespace impasto::bench
