// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <optional>
#include <string>

#include "host/backend/tuning/choice.hpp"

namespace impasto {

/// What a choice depends on besides its problem: the device and the libraries' versions, by name.
using Machine = std::map<std::string, std::string>;

/// The choices for one machine, by the problem's description, in a JSON file that runs share.
///
/// The file is not trusted: one that is no regular file, is too long, is not ours or is another
/// machine's counts as empty, an entry that makes no sense as absent, and the next store() replaces
/// it. Nor is a choice: the library that it names is asked whether it can be had. Nothing in the
/// file is ever executed, which is why it holds no compiled plans
/// (docs/decisions/0013-plans-are-cached-as-recipes.md).
class PlanCache {
 public:
  /// Reads what there is; no failure to read is an error. Without a folder ("") it lasts as long as
  /// the object.
  PlanCache(const std::string& folder, Machine machine);

  /// The file; empty without a folder.
  [[nodiscard]] const std::string& path() const { return path_; }

  [[nodiscard]] std::optional<Choice> find(const std::string& problem) const;
  /// Keeps a choice and writes the file, atomically, with what other processes have put there in
  /// the meantime. Throws ErrorKind::output when that fails; find() knows the choice all the same.
  void store(const std::string& problem, const Choice& choice);
  /// Forgets what was read, so that everything is chosen anew.
  void forget() { choices_.clear(); }

 private:
  using Choices = std::map<std::string, Choice>;
  [[nodiscard]] Choices read() const;
  void write(const Choices& choices) const;

  Machine machine_;
  std::string path_;
  Choices choices_;
  Choices stored_;  ///< by this object
};

/// $IMPASTO_CACHE_DIR, else impasto/ in $XDG_CACHE_HOME, else in ~/.cache; "" when there is no
/// home.
std::string cache_folder();

}  // namespace impasto
