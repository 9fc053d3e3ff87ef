// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/backend/backend.hpp"

namespace impasto {

/// A device that a backend can run on.
struct DeviceEntry {
  int index = 0;
  /// Empty when the device can be used; otherwise the reason why not, as a sentence.
  std::string unavailable;
  /// The precisions it offers, its default first.
  std::vector<Precision> precisions;
  /// Its properties by name, for programs; empty where Device::description() says it all.
  std::map<std::string, std::string> details;
};

/// A backend of this build, whether or not this machine can use it.
struct BackendEntry {
  std::string name;
  std::string description;
  /// Empty when the backend can be used here; otherwise the reason why not, as a sentence.
  std::string unavailable;
  /// In the order of their indices; none where the backend cannot be used.
  std::vector<DeviceEntry> devices;

  /// Of the first device.
  [[nodiscard]] std::vector<Precision> precisions() const {
    return devices.empty() ? std::vector<Precision>() : devices.front().precisions;
  }
};

/// Every backend this build knows, the one `auto` prefers first.
std::vector<BackendEntry> list_backends();

/// Opens a backend by name, or the best one available for "auto"; without a precision, in the
/// device's default. "cuda:1" is cuda on the device of index 1. Throws ErrorKind::usage for a name
/// that does not exist, ErrorKind::backend for a device or precision this machine cannot offer.
std::unique_ptr<Backend> make_backend(std::string_view name,
                                      std::optional<Precision> precision = std::nullopt,
                                      DeviceOptions options = {});

/// Throws what make_backend() would throw, as far as it is known without opening the device.
void require_backend(std::string_view name, std::optional<Precision> precision = std::nullopt);

}  // namespace impasto
