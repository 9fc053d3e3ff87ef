// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/backend/backend.hpp"

namespace impasto {

/// One way to compute, whether or not this machine can use it.
struct BackendEntry {
  std::string name;
  std::string description;
  /// Empty when the backend can be used here; otherwise the reason why not, as a sentence.
  std::string unavailable;
  /// The precisions it offers on this machine, its default first.
  std::vector<Precision> precisions;
};

/// Every backend this build knows, the one `auto` prefers first.
std::vector<BackendEntry> list_backends();

/// Opens a backend by name, or the best one available for "auto"; without a precision, in its
/// default. Throws ErrorKind::usage for a name or precision that does not exist, ErrorKind::backend
/// for one this machine cannot offer.
std::unique_ptr<Backend> make_backend(std::string_view name,
                                      std::optional<Precision> precision = std::nullopt);

}  // namespace impasto
