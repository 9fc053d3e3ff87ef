// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>

#include "host/app/settings.hpp"
#include "host/backend/backend.hpp"
#include "host/model/network.hpp"

namespace impasto::app {

/// What is kept inside a picture: the settings and what computed it. No names or times: equal runs
/// give equal files.
std::string recipe(const Settings& settings, std::span<const Backend* const> devices,
                   const Network& network);
std::string recipe(const Settings& settings, const Backend& backend, const Network& network);

/// The recipe that a picture's file holds, for --from.
class Recipe {
 public:
  /// Throws ErrorKind::input for a picture that holds none, and ErrorKind::usage for one that was
  /// made by another version: the same settings may paint another picture there.
  explicit Recipe(std::string path);

  /// The settings of a command that make the recipe: its preset, what differs from that, the device
  /// and the precision. Throws ErrorKind::usage where no settings do, as for a picture whose sides a
  /// batch has rounded, which stylize cannot do, and where the run began with a picture or had masks,
  /// which have no names in the recipe, unless the user names them (`given`, by setting).
  [[nodiscard]] WordsByName words(std::string_view command,
                                  const std::function<bool(std::string_view)>& given) const;

  /// Throws ErrorKind::weights for another network than the picture was made with.
  void require_network(const NetworkTraits& network) const;

 private:
  std::string path_;
  Json json_;
};

}  // namespace impasto::app
