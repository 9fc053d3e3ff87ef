// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "host/app/commands.hpp"
#include "host/app/describe.hpp"
#include "host/app/settings.hpp"
#include "host/app/terminal.hpp"
#include "host/backend/registry.hpp"
#include "host/backend/tuning/plan_cache.hpp"
#include "host/core/error.hpp"
#include "host/engine/stylizer.hpp"

namespace impasto::app {
namespace {

constexpr auto explanation =
    R"(A backend's first precision is its default; --backend auto takes the first
backend that is available.

--tune times every way that cuDNN, cuBLASLt and our kernels have to do what an
iteration of each preset needs, and keeps the fastest for later runs.)";

std::string precision_list(const BackendEntry& entry) {
  std::string text;
  for (const Precision precision : entry.precisions()) {
    text += fmt::format("{}{}", text.empty() ? "" : " ", to_string(precision));
  }
  return text;
}

std::string device_or_reason(const BackendEntry& entry) {
  if (!entry.unavailable.empty()) return "not available: " + entry.unavailable;
  return make_backend(entry.name)->description();
}

void print_table(const std::vector<BackendEntry>& entries) {
  std::string text = fmt::format("{:<11}{:<22}{}\n", "BACKEND", "PRECISION", "DEVICE");
  for (const BackendEntry& entry : entries) {
    // A GPU and its libraries stand on a line each.
    std::string device = device_or_reason(entry);
    const std::size_t libraries = device.find("; ");
    if (libraries != std::string::npos) {
      device.replace(libraries, 2, fmt::format("\n{:<33}", ""));
    }
    text += fmt::format("{:<11}{:<22}{}\n", entry.name, precision_list(entry), device);
    text += fmt::format("{:<33}{}\n", "", entry.description);
  }
  print_result(text);
}

void print_json(const std::vector<BackendEntry>& entries) {
  Json list = Json::array();
  for (const BackendEntry& entry : entries) {
    Json precisions = Json::array();
    for (const Precision precision : entry.precisions()) precisions.push_back(to_string(precision));
    const bool available = entry.unavailable.empty();
    Json devices = Json::array();
    for (const DeviceEntry& device : entry.devices) {
      devices.push_back({{"index", device.index},
                         {"available", device.unavailable.empty()},
                         {"details", device.details}});
    }
    list.push_back(
        {{"name", entry.name},
         {"description", entry.description},
         {"available", available},
         {"reason", available ? Json() : Json(entry.unavailable)},
         {"device", available ? Json(make_backend(entry.name)->description()) : Json()},
         {"precisions", precisions},
         {"details", entry.devices.empty() ? Json::object() : Json(entry.devices.front().details)},
         {"devices", devices}});
  }
  print_result(dump(list) + "\n");
}

/// Has the GPU choose its plans for the iteration of every preset, and keeps them.
void tune(const Settings& settings) {
  const std::unique_ptr<Backend> backend =
      make_backend("cuda", parse_precision(settings.precision), {.tuning = Tuning::retune});
  if (cache_folder().empty()) {
    fail(ErrorKind::output, "there is no place for the plan cache: set IMPASTO_CACHE_DIR");
  }
  for (const std::string& name : preset_names()) {
    const Config config = preset(name);
    const std::int64_t side = settings.size.value_or(config.size);
    message("Timing {} at {}x{} in {}\n", name, side, side, to_string(backend->precision()));
    const Shape pixels{1, side, side, 3};
    static_cast<void>(estimate_memory(*backend, config, pixels, std::array{pixels}));
  }
  message("Kept in {}\n", cache_folder());
}

void list_devices(const Settings& settings) {
  if (settings.tune && settings.json)
    fail(ErrorKind::usage, "--tune and --json exclude each other");
  if (settings.tune) return tune(settings);
  if (settings.json) {
    print_json(list_backends());
  } else {
    print_table(list_backends());
  }
}

}  // namespace

void add_devices_command(CLI::App& program) {
  add_command(program,
              {.name = "devices",
               .summary = "List what this machine can compute with",
               .example = "impasto devices",
               .footer = explanation},
              list_devices);
}

}  // namespace impasto::app
