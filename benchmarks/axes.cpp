// SPDX-License-Identifier: MIT
#include "benchmarks/axes.hpp"

#include <fmt/ranges.h>
#include <set>

#include "host/core/error.hpp"

namespace impasto::bench {
namespace {

DeviceEntry entry_of(const Backend& backend) {
  const std::vector<BackendEntry> all = list_backends();
  const auto& devices = std::ranges::find(all, backend.name(), &BackendEntry::name)->devices;
  return *std::ranges::find(devices, backend.index(), &DeviceEntry::index);
}

}  // namespace

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
  std::set<std::string_view> offered;
  for (const std::string& asked : names) {
    const std::unique_ptr<Backend> first = make_backend(asked);
    const DeviceEntry device = entry_of(*first);
    devices += (devices.empty() ? "" : "; ") + first->description();
    for (const auto& [key, value] : device.details) add_context(key, value);
    for (const Precision precision : device.precisions) {
      offered.insert(to_string(precision));
      if (!chosen(precisions, to_string(precision))) continue;
      opened.push_back(make_backend(
          first->name(), precision,
          {.index = device.index, .tuning = no_plan_cache ? Tuning::off : Tuning::cached}));
    }
  }
  for (const std::string& asked : precisions) {
    if (offered.contains(asked)) continue;
    fail(ErrorKind::backend, "no backend of {} has {} here: expected one of {}",
         fmt::join(names, ", "), asked, fmt::join(offered, ", "));
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
