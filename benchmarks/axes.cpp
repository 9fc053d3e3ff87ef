// SPDX-License-Identifier: MIT
#include "benchmarks/axes.hpp"

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

DeviceEntry entry_of(const Backend& backend) {
  const std::vector<BackendEntry> all = list_backends();
  const auto& devices = std::ranges::find(all, backend.name(), &BackendEntry::name)->devices;
  return *std::ranges::find(devices, backend.index(), &DeviceEntry::index);
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

void add_batch_axis(CLI::App& app, std::vector<std::int64_t>& into) {
  add_axis(app, "--batch", into, "pictures side by side")
      ->check(CLI::Range(std::int64_t{1}, largest));
}

void BackendAxes::add_options(CLI::App& app, const std::string& precision_option) {
  add_axis(app, "--backend", names, "who computes (auto: the best there is); cuda:1, a device");
  add_axis(app, precision_option, precisions, "precisions (all that the backend offers)")
      ->check(CLI::IsMember(std::vector<std::string>{"fp32", "winograd", "tf32", "bf16", "fp16"}));
  app.add_flag("--no-plan-cache", no_plan_cache, "libraries' first plans, nothing timed to choose")
      ->disable_flag_override();
}

std::vector<SharedBackend> BackendAxes::open() const {
  std::vector<SharedBackend> opened;
  std::string devices;
  for (const std::string& asked : names) {
    const std::unique_ptr<Backend> first = make_backend(asked);
    const DeviceEntry device = entry_of(*first);
    devices += (devices.empty() ? "" : "; ") + first->description();
    for (const auto& [key, value] : device.details) add_context(key, value);
    for (const Precision precision : device.precisions) {
      if (!chosen(precisions, to_string(precision))) continue;
      opened.push_back(make_backend(
          first->name(), precision,
          {.index = device.index, .tuning = no_plan_cache ? Tuning::off : Tuning::cached}));
    }
  }
  if (opened.empty()) {
    fail(ErrorKind::backend, "no backend of {} offers {}", fmt::join(names, ", "),
         fmt::join(precisions, ", "));
  }
  add_context("device", devices);
  return opened;
}

std::string backend_names() {
  std::string text = "backends:\n";
  for (const BackendEntry& entry : list_backends()) {
    text += fmt::format("  {:<12}{}\n", entry.name,
                        entry.unavailable.empty() ? entry.description : entry.unavailable);
  }
  return text;
}

}  // namespace impasto::bench
