// SPDX-License-Identifier: MIT
#include "host/app/values.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/ranges.h>

#include "host/app/failure.hpp"
#include "host/backend/registry.hpp"
#include "host/core/lower_case.hpp"
#include "host/core/suggest.hpp"
#include "host/model/vgg.hpp"

namespace impasto::app {
namespace {

/// The whole text as a number, or nothing.
template <class T>
std::optional<T> parsed(std::string_view text) {
  T value{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

std::string_view trimmed(std::string_view text) {
  constexpr auto blank = " \t";
  const std::size_t first = text.find_first_not_of(blank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

LayerWeight read_layer(std::string_view option, std::string_view name) {
  try {
    return {.layer = std::string(vgg_layer_name(lower_case(name))), .weight = 1};
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("{}: {}", option, error.what()));
  }
}

double read_layer_weight(std::string_view option, std::string_view text) {
  const auto number = parsed<double>(text);
  if (number && *number >= 0 && *number <= largest_weight) return *number;
  fail(ErrorKind::usage, "{}: a layer's weight is a number from 0 to {:g}, not '{}'", option,
       largest_weight, text);
}

}  // namespace

std::int64_t Whole::read(std::string_view option, std::string_view text) const {
  const auto number = parsed<std::int64_t>(text);
  if (number && *number >= lowest && *number <= highest) return *number;
  const bool is_whole = !text.empty() && text.find_first_not_of("0123456789") == text.npos;
  const bool is_too_large = is_whole && !number;
  if (highest == std::numeric_limits<std::int64_t>::max() && !is_too_large) {
    fail(ErrorKind::usage, "{} takes a whole number, {} or more, not '{}'", option, lowest, text);
  }
  fail(ErrorKind::usage, "{} takes a whole number from {} to {}, not '{}'", option, lowest, highest,
       text);
}

double Real::read(std::string_view option, std::string_view text) const {
  const auto number = parsed<double>(text);
  const bool fits = number && std::isfinite(*number) && (zero ? *number >= 0 : *number > 0);
  if (!fits) {
    fail(ErrorKind::usage, "{} takes a number {}, not '{}'", option,
         zero ? "that is 0 or greater" : "greater than 0", text);
  }
  if (*number > highest) {
    fail(ErrorKind::usage, "{} takes a number up to {:g}, not '{}'", option, highest, text);
  }
  return *number;
}

std::size_t Bytes::read(std::string_view option, std::string_view text) const {
  constexpr std::string_view units = "KMGT";
  const auto unit =
      text.empty()
          ? std::string_view::npos
          : units.find(static_cast<char>(std::toupper(static_cast<unsigned char>(text.back()))));
  const bool has_unit = unit != std::string_view::npos;
  const auto number = parsed<double>(has_unit ? text.substr(0, text.size() - 1) : text);
  const double bytes =
      number.value_or(0) * std::exp2(has_unit ? 10 * static_cast<double>(unit + 1) : 0);
  if (number && bytes >= 1 && bytes < 0x1p60) return static_cast<std::size_t>(bytes);
  fail(ErrorKind::usage, "{} takes an amount of memory such as 8G or 500M, not '{}'", option, text);
}

std::string in_units(std::size_t bytes) {
  constexpr std::string_view units = "KMGT";
  std::size_t unit = 0;
  for (; unit < units.size() && bytes > 0 && bytes % 1024 == 0; ++unit) bytes /= 1024;
  return unit == 0 ? fmt::format("{}", bytes) : fmt::format("{}{}", bytes, units[unit - 1]);
}

std::string Choice::takes() const { return fmt::format("{}", fmt::join(words, "|")); }

std::string Choice::read(std::string_view option, std::string_view text) const {
  if (std::ranges::find(words, text) != words.end()) return std::string(text);
  throw HintedError(ErrorKind::usage,
                    fmt::format("{} takes {}, not '{}'", option, one_of(words), text),
                    did_you_mean(text, words));
}

std::string DeviceName::read(std::string_view option, std::string_view text) const {
  if (parsed<unsigned>(text)) return fmt::format("cuda:{}", text);
  if (text.find(',') != std::string_view::npos) {
    throw HintedError(ErrorKind::usage, fmt::format("{} takes one device, not '{}'", option, text),
                      "stylize computes a picture on several, and batch --devices many pictures");
  }
  const std::size_t colon = text.find(':');
  const std::string_view backend = text.substr(0, colon);
  if (backend == "gpu") return read(option, fmt::format("cuda{}", text.substr(backend.size())));
  if (std::ranges::find(backends.words, backend) == backends.words.end()) {
    const std::string hint = did_you_mean(backend, backends.words);
    throw HintedError(ErrorKind::usage,
                      fmt::format("{} takes {} or the number of a GPU, not '{}'", option,
                                  fmt::join(backends.words, ", "), text),
                      hint.empty() ? "'impasto devices' lists those of this machine" : hint);
  }
  if (colon != std::string_view::npos && !parsed<unsigned>(text.substr(colon + 1))) {
    fail(ErrorKind::usage, "{} takes the number of a device after the colon, not '{}'", option,
         text);
  }
  return std::string(text);
}

DeviceName device_name(std::vector<std::string> words) {
  for (const BackendEntry& entry : list_backends()) words.push_back(entry.name);
  return {{words}};
}

std::vector<std::string_view> split(std::string_view text, char between) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(between, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

std::string DeviceList::read(std::string_view option, std::string_view text) const {
  std::vector<std::string> devices;
  for (const std::string_view word : split(text, ',')) devices.push_back(one.read(option, word));
  if (devices.size() > 1 && std::ranges::find(devices, "auto") != devices.end()) {
    fail(ErrorKind::usage, "{}: auto stands alone, not in '{}'", option, text);
  }
  return fmt::format("{}", fmt::join(devices, ","));
}

std::vector<std::string> DeviceNames::read(std::string_view option, std::string_view text) const {
  if (text == "all") return {std::string(text)};
  const DeviceName one = device_name({"all", "auto"});
  std::vector<std::string> devices;
  for (const std::string_view word : split(text, ',')) {
    devices.push_back(one.read(option, word));
    if (devices.back() == "all") {
      fail(ErrorKind::usage, "{}: all stands alone, not in '{}'", option, text);
    }
  }
  return devices;
}

void refuse_empty(std::string_view option, std::string_view takes, std::string_view text) {
  if (text.empty()) fail(ErrorKind::usage, "{} takes {}, not an empty text", option, takes);
}

std::string Text::read(std::string_view option, std::string_view text) const {
  refuse_empty(option, type, text);
  return std::string(text);
}

std::vector<LayerWeight> Layers::read(std::string_view option, std::string_view text) const {
  const std::string hint = "a loss is switched off by its weight: --content-weight 0";
  if (trimmed(text).empty()) {
    throw HintedError(ErrorKind::usage, fmt::format("{} takes at least one layer", option), hint);
  }
  std::vector<LayerWeight> layers;
  std::vector<std::size_t> unweighted;
  for (const std::string_view item : split(text, ',')) {
    const std::size_t colon = item.find(':');
    layers.push_back(read_layer(option, trimmed(item.substr(0, colon))));
    if (colon == std::string_view::npos) {
      unweighted.push_back(layers.size() - 1);
    } else {
      layers.back().weight = read_layer_weight(option, trimmed(item.substr(colon + 1)));
    }
  }
  for (const std::size_t i : unweighted) {
    layers[i].weight = 1.0 / static_cast<double>(layers.size());
  }
  if (std::ranges::all_of(layers, [](const LayerWeight& layer) { return layer.weight == 0; })) {
    throw HintedError(ErrorKind::usage,
                      fmt::format("{}: the weights of all its layers are 0: '{}'", option, text),
                      hint);
  }
  return layers;
}

std::vector<double> Shares::read(std::string_view option, std::string_view text) const {
  std::vector<double> shares;
  for (const std::string_view item : split(text, ',')) {
    const auto number = parsed<double>(trimmed(item));
    if (!number || !(*number >= 0 && *number <= largest_weight)) {
      fail(ErrorKind::usage, "{} takes numbers from 0 to {:g} with commas between, not '{}'",
           option, largest_weight, text);
    }
    shares.push_back(*number);
  }
  if (std::ranges::all_of(shares, [](double share) { return share == 0; })) {
    fail(ErrorKind::usage, "{}: all of them are 0: '{}'", option, text);
  }
  return shares;
}

std::vector<std::int64_t> Distances::read(std::string_view option, std::string_view text) const {
  constexpr std::int64_t furthest = 1000;
  std::vector<std::int64_t> distances;
  for (const std::string_view item : split(text, ',')) {
    const auto number = parsed<std::int64_t>(trimmed(item));
    const std::int64_t least = distances.empty() ? 1 : distances.back() + 1;
    if (!number || *number < least || *number > furthest || (distances.empty() && *number != 1)) {
      fail(
          ErrorKind::usage,
          "{} takes whole numbers that ascend from 1, up to {}, with commas between, as 1,2,4, not "
          "'{}'",
          option, furthest, text);
    }
    distances.push_back(*number);
  }
  return distances;
}

OutputPath Writes::read(std::string_view option, std::string_view text) const {
  refuse_empty(option, takes(), text);
  if (text == standard_stream && !standard_output) {
    fail(ErrorKind::usage, "{} takes a file, not '-', which is standard output", option);
  }
  return OutputPath(std::string(text));
}

OutputFolder WritesInto::read(std::string_view option, std::string_view text) const {
  refuse_empty(option, takes(), text);
  return OutputFolder(std::string(text));
}

Json shown(const OutputPath& path) { return path ? Json(path.string()) : Json(); }

Json shown(const OutputFolder& folder) { return folder.string(); }

Json shown(const std::vector<LayerWeight>& layers) {
  Json json = Json::object();
  for (const LayerWeight& layer : layers) json[layer.layer] = layer.weight;
  return json;
}

Json shown(const Normaliser& scale) {
  const auto power = [](double value) {
    return value == std::floor(value) ? Json(static_cast<std::int64_t>(value)) : Json(value);
  };
  return {{"factor", scale.factor},
          {"channel_power", power(scale.channel_power)},
          {"pixel_power", power(scale.pixel_power)}};
}

Json shown(const std::vector<std::int64_t>& distances) {
  return distances.empty() ? Json() : Json(distances);
}

Json shown(const std::vector<double>& shares) { return shares.empty() ? Json() : Json(shares); }

std::vector<std::string> files_of(const std::string& path) {
  return path.empty() || path.starts_with("sample:") ? std::vector<std::string>()
                                                     : std::vector<std::string>{path};
}

std::vector<std::string> files_of(const std::optional<std::string>& path) {
  return files_of(path.value_or(""));
}

std::vector<std::string> files_of(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    if (!files_of(path).empty()) files.push_back(path);
  }
  return files;
}

bool truth(std::string_view option, std::string_view text) {
  for (const char* yes : {"1", "true", "yes", "on"}) {
    if (text == yes) return true;
  }
  for (const char* no : {"0", "false", "no", "off"}) {
    if (text == no) return false;
  }
  fail(ErrorKind::usage, "{} takes true or false, not '{}'", option, text);
}

}  // namespace impasto::app
