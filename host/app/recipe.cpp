// SPDX-License-Identifier: MIT
#include "host/app/recipe.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <utility>
#include <vector>

#include "host/app/describe.hpp"
#include "host/app/failure.hpp"
#include "host/image/decode.hpp"

namespace impasto::app {
namespace {

/// The value of a setting as the command line takes it.
std::string word_of(const Json& value) {
  if (!value.is_array()) return in_words(value);
  std::vector<std::string> words;
  for (const Json& one : value) words.push_back(in_words(one));
  return fmt::format("{}", fmt::join(words, ","));
}

/// What a network is called, and the file that it comes from.
std::string spoken(const Json& network) {
  std::string text = network.value("description", std::string());
  const std::string source = network.value("source_sha256", std::string());
  return source.empty() ? text : fmt::format("{} (SHA-256 {}...)", text, source.substr(0, 12));
}

}  // namespace

std::string recipe(const Settings& settings, std::span<const Backend* const> devices,
                   const Network& network) {
  return dump({{"impasto", describe_versions()["impasto"]},
               {"backend", spoken(devices)},
               {"precision", to_string(devices.front()->precision())},
               {"network", describe(network.traits())},
               {"config", describe(settings)}});
}

std::string recipe(const Settings& settings, const Backend& backend, const Network& network) {
  const Backend* const one = &backend;
  return recipe(settings, std::span(&one, 1), network);
}

Recipe::Recipe(std::string path) : path_(std::move(path)) {
  json_ = Json::parse(read_comment(path_), nullptr, /*allow_exceptions=*/false);
  const auto is_text = [this](const char* key) {
    return json_.contains(key) && json_[key].is_string();
  };
  const auto is_object = [this](const char* key) {
    return json_.contains(key) && json_[key].is_object();
  };
  const bool whole = json_.is_object() && is_text("impasto") && is_text("backend") &&
                     is_text("precision") && is_object("network") && is_object("config");
  if (!whole) {
    throw HintedError(ErrorKind::input,
                      fmt::format("'{}' holds no recipe: expected a picture as stylize or batch "
                                  "wrote it",
                                  path_),
                      "programs that edit pictures or send them often leave such notes out");
  }
  const Json own = describe_versions()["impasto"];
  if (json_["impasto"] != own) {
    fail(ErrorKind::usage, "'{}' was made by impasto {}, this is {}: it may paint another picture",
         path_, in_words(json_["impasto"]), in_words(own));
  }
}

WordsByName Recipe::words(std::string_view command,
                          const std::function<bool(std::string_view)>& given) const {
  const Json& config = json_["config"];
  const bool many_devices = std::ranges::any_of(settings_table(), [command](const Setting& row) {
    return row.name == "devices" && row.is_of(command);
  });
  if (many_devices && in_words(json_["backend"]).find(',') != std::string::npos) {
    fail(ErrorKind::usage, "'{}' was computed on several devices, as only stylize does", path_);
  }
  WordsByName words = {{many_devices ? "devices" : "device", {in_words(json_["backend"])}},
                       {"precision", {in_words(json_["precision"])}}};
  Settings settings;
  const auto kept = [&config](const Setting& row) { return config.value(row.key(), Json()); };
  for (const Setting& row : settings_table()) {
    if (!row.recorded || !row.is_of(command)) continue;
    const bool masks =
        (row.name == "mask" || row.name == "style-mask") && kept(row).is_number() && kept(row) != 0;
    if (masks) {
      if (given(row.name)) continue;
      throw HintedError(
          ErrorKind::usage,
          fmt::format("'{}' was made with masks, of which the recipe holds no names", path_),
          fmt::format("give them again: {} FILE", row.option()));
    }
    if (row.name == "init" && kept(row) == "file") {
      if (given(row.name)) continue;
      throw HintedError(ErrorKind::usage,
                        fmt::format("'{}' was begun with a picture, of which the recipe holds no "
                                    "name",
                                    path_),
                        "give it again: --init FILE");
    }
    // What the network would choose if nobody did.
    const bool chosen = row.name == "preset" || row.name == "pooling";
    if (!chosen && row.value.show(settings) == kept(row)) continue;
    const Words& read = words[std::string(row.name)] = {word_of(kept(row))};
    try {
      row.value.read(settings, row.option(), read);
    } catch (const Error& error) {
      throw Error(error.kind(), fmt::format("the recipe in '{}': {}", path_, error.what()));
    }
  }
  // What a preset alone sets, and what only a batch does.
  const Json made = describe(settings);
  for (const auto& [key, value] : made.items()) {
    const Json was = config.value(key, Json());
    const bool named = key == "mask" || key == "style_mask" || (key == "init" && given("init"));
    if (value == was || named) continue;
    fail(ErrorKind::usage, "the recipe in '{}' has {} = {}, which no option of {} sets", path_, key,
         was.dump(), command);
  }
  return words;
}

void Recipe::require_network(const NetworkTraits& network) const {
  const Json& was = json_["network"];
  const Json is = describe(network);
  if (was == is) return;
  throw HintedError(ErrorKind::weights,
                    fmt::format("'{}' was made with another network: expected {}, found {}", path_,
                                spoken(was), spoken(is)),
                    "give the file of its network: --weights FILE");
}

}  // namespace impasto::app
