// SPDX-License-Identifier: MIT
#include "benchmarks/axes.hpp"

#include <charconv>
#include <fmt/ranges.h>
#include <utility>

#include "host/core/error.hpp"

namespace impasto::bench {
namespace {

constexpr std::int64_t most = 1 << 20;
constexpr std::string_view shape_option = "--shape";

std::vector<std::string> parts(std::string_view text, char separator) {
  std::vector<std::string> all;
  for (;;) {
    const std::size_t end = text.find(separator);
    all.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return all;
    text.remove_prefix(end + 1);
  }
}

std::int64_t number_of(std::string_view option, std::string_view text, std::int64_t least) {
  std::int64_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || stop != text.data() + text.size() || number < least ||
      number > most) {
    fail(ErrorKind::usage, "{}: expected a whole number from {} to {}, got '{}'", option, least,
         most, text);
  }
  return number;
}

/// A shape, and the picture it comes from.
struct Found {
  std::string name;
  Shape map;
  Shape pixels;
};

/// Layers of VGG-19 by their names: the b-th block lies behind b − 1 pools, which halve and round
/// up, and has 64, 128, 256, 512 and 512 channels. "pixels" are the picture itself.
Found layer_at(std::string_view layer, std::int64_t size) {
  constexpr std::array<std::int64_t, 5> channels = {64, 128, 256, 512, 512};
  const Shape pixels{1, size, size, 3};
  const std::string name = fmt::format("{}@{}", layer, size);
  if (layer == "pixels") return {name, pixels, pixels};
  const bool known = layer.size() == 7 && layer.starts_with("conv") && layer[5] == '_' &&
                     layer[4] >= '1' && layer[4] <= '5' && layer[6] >= '1' && layer[6] <= '4';
  if (!known) {
    fail(ErrorKind::usage, "{}: expected a layer of VGG-19 before '@', got '{}'", shape_option,
         layer);
  }
  const auto block = static_cast<std::size_t>(layer[4] - '1');
  const std::int64_t side = (size + (std::int64_t{1} << block) - 1) >> block;
  return {name, {1, side, side, channels[block]}, pixels};
}

/// Those that one text of a command line stands for.
std::vector<Found> find_shapes(const std::string& text, std::span<const std::string_view> layers) {
  const std::size_t at = text.find('@');
  if (at != std::string::npos) {
    return {layer_at(text.substr(0, at), number_of(shape_option, text.substr(at + 1), 1))};
  }
  const std::vector<std::string> sides = parts(text, 'x');
  if (sides.size() == 3) {
    const std::int64_t height = number_of(shape_option, sides[0], 1);
    const std::int64_t width = number_of(shape_option, sides[1], 1);
    const std::int64_t channels = number_of(shape_option, sides[2], 1);
    return {{text, {1, height, width, channels}, {1, height, width, 3}}};
  }
  if (sides.size() != 1) {
    fail(ErrorKind::usage, "{}: expected LAYER@SIZE, HxWxC or SIZE, got '{}'", shape_option, text);
  }
  const std::int64_t size = number_of(shape_option, text, 1);
  std::vector<Found> found;
  for (const std::string_view layer : layers) found.push_back(layer_at(layer, size));
  return found;
}

}  // namespace

std::vector<NamedShape> shapes_of(std::span<const std::string> texts,
                                  std::span<const std::string_view> layers, bool on_pixels) {
  std::vector<NamedShape> shapes;
  for (const std::string& text : texts) {
    for (const Found& found : find_shapes(text, layers)) {
      const NamedShape shape{found.name, on_pixels ? found.pixels : found.map};
      const bool known =
          on_pixels && std::any_of(shapes.begin(), shapes.end(), [&](const NamedShape& other) {
            return other.size == shape.size;
          });
      if (!known) shapes.push_back(shape);
    }
  }
  return shapes;
}

Option number_axis(std::string name, std::string about, std::int64_t least,
                   std::vector<std::int64_t>& into) {
  const auto take = [name, least, &into](std::string_view text) {
    into.clear();
    for (const std::string& one : parts(text, ',')) into.push_back(number_of(name, one, least));
  };
  return {std::move(name), "N,...", std::move(about), take};
}

Option word_axis(std::string name, std::string values, std::string about,
                 std::vector<std::string_view> known, std::vector<std::string>& into) {
  const auto take = [name, known = std::move(known), &into](std::string_view text) {
    into = parts(text, ',');
    for (const std::string& one : into) {
      if (!chosen(known, one)) {
        fail(ErrorKind::usage, "{}: expected one of {}, got '{}'", name, fmt::join(known, ", "),
             one);
      }
    }
  };
  return {std::move(name), std::move(values), std::move(about), take};
}

Option shape_axis(std::vector<std::string>& into) {
  const auto take = [&into](std::string_view text) {
    into = parts(text, ',');
    static_cast<void>(shapes_of(into, style_layers, false));  // throws
  };
  return {std::string(shape_option), "SHAPE,...", "LAYER@SIZE, HxWxC or SIZE, as told below", take};
}

Option precision_axis(std::string name, std::string about, std::vector<std::string>& into) {
  return word_axis(std::move(name), "NAME,...", std::move(about), {"fp32", "tf32", "bf16", "fp16"},
                   into);
}

Option op_axis(std::vector<std::string_view> known, std::vector<std::string>& into) {
  return word_axis("--op", "NAME,...", "operations (all)", std::move(known), into);
}

Option batch_axis(std::vector<std::int64_t>& into) {
  return number_axis("--batch", "pictures side by side", 1, into);
}

Option file_option(std::string name, std::string about, std::string& into) {
  return {std::move(name), "FILE", std::move(about),
          [&into](std::string_view text) { into = text; }};
}

Option flag_option(std::string name, std::string about, bool& into) {
  return {std::move(name), "", std::move(about), [&into](std::string_view) { into = true; }};
}

std::string names_for_help(std::string_view title, std::span<const std::string_view> names) {
  constexpr std::size_t width = 90;
  std::string text = fmt::format("{}:\n ", title);
  std::size_t used = 1;
  for (const std::string_view name : names) {
    if (used + 1 + name.size() > width) {
      text += "\n ";
      used = 1;
    }
    text += fmt::format(" {}", name);
    used += 1 + name.size();
  }
  return text + '\n';
}

}  // namespace impasto::bench
