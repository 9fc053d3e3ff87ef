// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/backend/backend.hpp"
#include "host/backend/tuning/tuning.hpp"

namespace impasto {

/// One way to compute, whether or not this machine can use it.
struct BackendEntry {
  std::string name;
  std::string description;
  /// Empty when the backend can be used here; otherwise the reason why not, as a sentence.
  std::string unavailable;
  /// The precisions it offers on this machine, its default first.
  std::vector<Precision> precisions;
  /// What it would run on, by name, for programs; empty where the backend's device() says it all.
  std::map<std::string, std::string> details;
};

/// Every backend this build knows, the one `auto` prefers first.
std::vector<BackendEntry> list_backends();

/// Opens a backend by name, or the best one available for "auto"; without a precision, in its
/// default. `tuning` is for backends that have something to choose. Throws ErrorKind::usage for a
/// name or precision that does not exist, ErrorKind::backend for one this machine cannot offer.
std::unique_ptr<Backend> make_backend(std::string_view name,
                                      std::optional<Precision> precision = std::nullopt,
                                      Tuning tuning = Tuning::cached);

}  // namespace impasto
