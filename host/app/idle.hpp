// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "host/app/settings.hpp"

namespace impasto::app {

/// What the user should know who asked for an option that changes nothing beside the other settings of any
/// picture that it was asked for.
class IdleOptions {
 public:
  /// Looks at one more picture's settings.
  void look_at(const Settings& settings);
  /// Whether an option was asked for, and works for no picture so far.
  [[nodiscard]] bool contains(std::string_view option) const;
  /// A line for each such option, which names it and what it lacks.
  [[nodiscard]] std::vector<std::string> notes() const;

 private:
  std::map<std::string_view, bool> works_;  ///< by options that were asked for
};

/// The same of one picture, or a film.
std::vector<std::string> notes_of_idle_options(const Settings& settings);

/// And of options whose effect the sizes of the pictures decide: `scales` is how many there are.
std::vector<std::string> notes_of_scales(const Settings& settings, std::size_t scales);

}  // namespace impasto::app
