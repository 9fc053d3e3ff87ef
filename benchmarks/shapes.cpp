// SPDX-License-Identifier: MIT
#include "benchmarks/shapes.hpp"

#include <charconv>
#include <fmt/ranges.h>
#include <optional>

#include "host/core/error.hpp"
#include "host/model/vgg.hpp"

namespace impasto::bench {
namespace {

constexpr std::int64_t largest = 1 << 20;

std::int64_t number_of(std::string_view text) {
  std::int64_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || stop != text.data() + text.size() || number < 1 || number > largest) {
    fail(ErrorKind::usage, "--shape: expected a whole number from 1 to {}, got '{}'", largest,
         text);
  }
  return number;
}

/// The b-th block of VGG-19 lies behind b − 1 pools, which halve and round up.
NamedShape layer_at(std::string_view name, std::int64_t size, const Operation& op) {
  const std::string full = fmt::format("{}@{}", name, size);
  if (name == "pixels" || op.on_pixels) return {full, {1, size, size, 3}};
  const auto layer = std::find_if(vgg19.begin(), vgg19.end(),
                                  [&](const VggLayer& each) { return each.name == name; });
  if (layer == vgg19.end() || layer->kind != conv_kind) {
    std::vector<std::string_view> convs;
    for (const VggLayer& each : vgg19) {
      if (each.kind == conv_kind) convs.push_back(each.name);
    }
    fail(ErrorKind::usage, "--shape: expected a layer of VGG-19 before '@', got '{}'; they are {}",
         name, fmt::join(convs, ", "));
  }
  const int pools = name[4] - '1';
  const std::int64_t side = (size + (std::int64_t{1} << pools) - 1) >> pools;
  const std::int64_t channels = op.widens ? layer->in_channels : layer->out_channels;
  return {full, {1, side, side, channels}, layer->out_channels};
}

std::vector<NamedShape> find_shapes(const std::string& text, const Operation& op) {
  if (const std::size_t at = text.find('@'); at != std::string::npos) {
    return {layer_at(text.substr(0, at), number_of(text.substr(at + 1)), op)};
  }
  const std::vector<std::string> sides = CLI::detail::split(text, 'x');
  if (sides.size() == 3) {
    const std::int64_t channels = number_of(sides[2]);
    return {{text,
             {1, number_of(sides[0]), number_of(sides[1]), op.on_pixels ? 3 : channels},
             channels}};
  }
  if (sides.size() != 1) {
    fail(ErrorKind::usage, "--shape: expected LAYER@SIZE, HxWxC or SIZE, got '{}'", text);
  }
  std::vector<NamedShape> found;
  for (const std::string_view layer : op.layers) {
    found.push_back(layer_at(layer, number_of(text), op));
  }
  return found;
}

}  // namespace

std::vector<NamedShape> shapes_of(std::span<const std::string> texts, const Operation& op) {
  std::vector<NamedShape> shapes;
  for (const std::string& text : texts) {
    for (const NamedShape& found : find_shapes(text, op)) {
      const bool known =
          op.on_pixels && std::any_of(shapes.begin(), shapes.end(), [&](const NamedShape& other) {
            return other.map == found.map;
          });
      if (!known) shapes.push_back(found);
    }
  }
  return shapes;
}

void add_shape_axis(CLI::App& app, std::vector<std::string>& into) {
  add_axis(app, "--shape", into, "LAYER@SIZE, HxWxC or SIZE, as told below")
      ->check([](const std::string& text) -> std::string {
        try {
          static_cast<void>(shapes_of(std::span(&text, 1), {.layers = {"conv1_1"}}));
          return {};
        } catch (const Error& error) {
          return error.what();
        }
      });
}

std::string layers_line(std::string_view name, const Operation& op) {
  return fmt::format("  {:<26}{}\n", name, fmt::join(op.layers, " "));
}

void add_precision_axis(CLI::App& app, const std::string& name, std::vector<std::string>& into,
                        const std::string& about) {
  add_axis(app, name, into, about)
      ->check(CLI::IsMember(std::vector<std::string>{"fp32", "tf32", "bf16", "fp16"}));
}

void add_batch_axis(CLI::App& app, std::vector<std::int64_t>& into) {
  add_axis(app, "--batch", into, "pictures side by side")
      ->check(CLI::Range(std::int64_t{1}, largest));
}

void add_op_axis(CLI::App& app, const std::vector<std::string>& known,
                 std::vector<std::string>& into) {
  add_axis(app, "--op", into, "operations (all)")->check(CLI::IsMember(known));
}

}  // namespace impasto::bench
