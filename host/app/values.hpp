// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "host/app/settings.hpp"

namespace impasto::app {

/// The types of settings. takes() names the type in --help. read() turns a text into a value, or
/// throws ErrorKind::usage and says which option it was, what the option takes and what it got.

struct Whole {
  std::int64_t lowest = 0;
  std::int64_t highest = std::numeric_limits<std::int64_t>::max();

  [[nodiscard]] std::string takes() const { return "N"; }
  [[nodiscard]] std::int64_t read(std::string_view option, std::string_view text) const;
};

/// A number up to `highest`, from 0 or, without `zero`, greater than 0.
struct Real {
  bool zero = true;
  double highest = std::numeric_limits<float>::max();

  [[nodiscard]] std::string takes() const { return "X"; }
  [[nodiscard]] double read(std::string_view option, std::string_view text) const;
};

/// The largest weight of a loss or a layer. Adam squares gradients in float32; with larger weights
/// the squares would be infinite, and the picture would never change.
inline constexpr double largest_weight = 1e15;

/// One of a few words.
struct Choice {
  std::vector<std::string> words;

  [[nodiscard]] std::string takes() const;
  [[nodiscard]] std::string read(std::string_view option, std::string_view text) const;
};

/// What can compute, as make_backend() takes it: "cuda", or "cuda:1" for its second device. The
/// number of a GPU alone, "1", is short for that.
struct DeviceName {
  Choice backends;

  [[nodiscard]] std::string takes() const { return backends.takes() + "|N"; }
  [[nodiscard]] std::string read(std::string_view option, std::string_view text) const;
};

/// The backends of this build, and these words besides.
DeviceName device_name(std::vector<std::string> words);

/// The parts of a text between the letters `between`: one more than there are of these.
std::vector<std::string_view> split(std::string_view text, char between);

/// One of them, or several that compute one picture: "0,1" is "cuda:0,cuda:1".
struct DeviceList {
  DeviceName one;

  [[nodiscard]] std::string takes() const { return one.takes() + "|LIST"; }
  [[nodiscard]] std::string read(std::string_view option, std::string_view text) const;
};

/// "all", or several devices: "0,2".
struct DeviceNames {
  [[nodiscard]] std::string takes() const { return "all|LIST"; }
  [[nodiscard]] std::vector<std::string> read(std::string_view option, std::string_view text) const;
};

/// An amount of memory in bytes: "8G", "500M", "1.5G" of 1024³, 1024² bytes.
struct Bytes {
  [[nodiscard]] std::string takes() const { return "SIZE"; }
  [[nodiscard]] std::size_t read(std::string_view option, std::string_view text) const;
};
/// The same as Bytes reads it.
std::string in_units(std::size_t bytes);

/// A script's variable that is not set must not switch an option off: throws ErrorKind::usage.
void refuse_empty(std::string_view option, std::string_view takes, std::string_view text);

struct Text {
  std::string type;

  [[nodiscard]] std::string takes() const { return type; }
  [[nodiscard]] std::string read(std::string_view option, std::string_view text) const;
};

/// "conv4_2:0.5,conv5_2": layers and weights. Layers without a weight get 1/count, so that the loss
/// of several bare names is of the size of one layer's. Names from other systems become ours.
struct Layers {
  [[nodiscard]] std::string takes() const { return "L[:w],..."; }
  [[nodiscard]] std::vector<LayerWeight> read(std::string_view option, std::string_view text) const;
};

/// "0.7,0.3": how much each of several things counts.
struct Shares {
  [[nodiscard]] std::string takes() const { return "W,..."; }
  [[nodiscard]] std::vector<double> read(std::string_view option, std::string_view text) const;
};

/// "1,2,4": how many frames back, ascending from 1.
struct Distances {
  [[nodiscard]] std::string takes() const { return "N,..."; }
  [[nodiscard]] std::vector<std::int64_t> read(std::string_view option,
                                               std::string_view text) const;
};

/// A file to write. Its extension says the format. With `stream` it may be a pipe or a device, with
/// `standard_output` that, "-".
struct Writes {
  std::vector<std::string> extensions;
  bool stream = false;
  bool standard_output = false;

  [[nodiscard]] std::string takes() const { return "FILE"; }
  [[nodiscard]] OutputPath read(std::string_view option, std::string_view text) const;
};

/// A folder to write files to.
struct WritesInto {
  [[nodiscard]] std::string takes() const { return "FOLDER"; }
  [[nodiscard]] OutputFolder read(std::string_view option, std::string_view text) const;
};

Json shown(const OutputPath& path);
Json shown(const OutputFolder& folder);
Json shown(const std::vector<LayerWeight>& layers);
Json shown(const Normaliser& scale);
Json shown(const std::vector<double>& shares);
Json shown(const std::vector<std::int64_t>& distances);
template <class T>
Json shown(const T& value) {
  return Json(value);
}
template <class T>
Json shown(const std::optional<T>& value) {
  return value ? shown(*value) : Json();
}

/// Where the settings hold a value: read in constant settings, written in others.
template <class Held>
class Place {
 public:
  explicit Place(Held& (*of)(Settings&)) : of_(of) {}

  Held& operator()(Settings& settings) const { return of_(settings); }
  const Held& operator()(const Settings& settings) const {
    return of_(const_cast<Settings&>(settings));  // which only finds the value
  }

 private:
  Held& (*of_)(Settings&);
};

template <class Type, class Held>
Value value(Type type, Place<Held> member) {
  return {.takes = type.takes(),
          .read =
              [type, member](Settings& settings, std::string_view option, const Words& words) {
                member(settings) = static_cast<Held>(type.read(option, words.front()));
              },
          .show = [member](const Settings& settings) { return shown(member(settings)); }};
}

/// "true", "yes", "on", "1", or their opposites.
bool truth(std::string_view option, std::string_view text);

/// A switch.
inline Value toggle(Place<bool> member) {
  return {.read = [member](Settings& settings, std::string_view option,
                           const Words& words) { member(settings) = truth(option, words.back()); },
          .show = [member](const Settings& settings) { return shown(member(settings)); }};
}

/// A value that only a preset sets.
template <class Show>
Value fixed(Show show) {
  return {.show = [show](const Settings& settings) { return shown(show(settings)); }};
}

/// How an optimiser's rate falls; null for L-BFGS, whose does not. Constant where the settings are.
template <class Optimizer>
auto decay_of(Optimizer& optimizer) -> decltype(&std::get_if<AdamOptions>(&optimizer)->decay) {
  if (auto* adam = std::get_if<AdamOptions>(&optimizer)) return &adam->decay;
  if (auto* descent = std::get_if<DescentOptions>(&optimizer)) return &descent->decay;
  return nullptr;
}

/// The files that a setting reads: none if it names a sample or nothing.
std::vector<std::string> files_of(const std::string& path);
std::vector<std::string> files_of(const std::optional<std::string>& path);
std::vector<std::string> files_of(const std::vector<std::string>& paths);

/// A file that is read.
template <class Held>
Value input(Place<Held> member) {
  Value row = value(Text{"FILE"}, member);
  row.reads = [member](const Settings& settings) { return files_of(member(settings)); };
  return row;
}

/// Files that are read.
inline Value inputs(Place<std::vector<std::string>> member) {
  return {.takes = "FILE",
          .many = true,
          .read =
              [member](Settings& settings, std::string_view option, const Words& words) {
                for (const std::string& word : words) refuse_empty(option, "FILE", word);
                member(settings) = words;
              },
          .show = [member](const Settings& settings) { return shown(member(settings)); },
          .reads = [member](const Settings& settings) { return files_of(member(settings)); }};
}

/// A file that is written.
inline Value output(const Writes& type, Place<OutputPath> member) {
  Value row = value(type, member);
  row.writes = [member, type](const Settings& settings) {
    std::vector<Output> outputs;
    if (member(settings)) {
      outputs.push_back(
          {.path = member(settings), .extensions = type.extensions, .stream = type.stream});
    }
    return outputs;
  };
  return row;
}

}  // namespace impasto::app
