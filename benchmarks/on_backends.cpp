// SPDX-License-Identifier: MIT
#include "benchmarks/on_backends.hpp"

#include <algorithm>
#include <fmt/ranges.h>

#include "host/core/error.hpp"

namespace impasto::bench {
namespace {

BackendEntry entry_of(const std::string& name) {
  const std::vector<BackendEntry> all = list_backends();
  return *std::find_if(all.begin(), all.end(),
                       [&](const BackendEntry& entry) { return entry.name == name; });
}

}  // namespace

void BackendAxes::add_options(CLI::App& app, const std::string& precision_option) {
  std::vector<std::string> known = {"auto"};
  for (const BackendEntry& entry : list_backends()) known.push_back(entry.name);
  add_axis(app, "--backend", names, "who computes (auto: the best there is)")
      ->check(CLI::IsMember(known));
  add_precision_axis(app, precision_option, precisions, "precisions (all that the backend offers)");
  app.add_flag("--no-plan-cache", no_plan_cache, "libraries' first plans, nothing timed to choose")
      ->disable_flag_override();
}

std::vector<SharedBackend> BackendAxes::open() const {
  std::vector<SharedBackend> opened;
  std::string devices;
  for (const std::string& asked : names) {
    const std::unique_ptr<Backend> first = make_backend(asked);
    const BackendEntry entry = entry_of(first->name());
    devices += (devices.empty() ? "" : "; ") + first->description();
    for (const auto& [key, value] : entry.devices.front().details)
      benchmark::AddCustomContext(key, value);
    for (const Precision precision : entry.precisions()) {
      if (!chosen(precisions, to_string(precision))) continue;
      opened.push_back(make_backend(entry.name, precision,
                                    {.tuning = no_plan_cache ? Tuning::off : Tuning::cached}));
    }
  }
  if (opened.empty()) {
    fail(ErrorKind::backend, "no backend of {} offers {}", fmt::join(names, ", "),
         fmt::join(precisions, ", "));
  }
  benchmark::AddCustomContext("device", devices);
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
