// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <fmt/ranges.h>
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
#include "host/engine/stylization.hpp"

namespace impasto::app {
namespace {

constexpr auto devices_explanation =
    R"(A backend's first precision is its default; --device auto takes the first
backend that is available. --device 1 takes the GPU of that number, cuda:1.

--tune times every way that cuDNN, cuBLASLt and our kernels have to do what an
iteration of each preset needs, and the fastest ones' variants, and keeps the
fastest for later runs.)";

std::vector<std::string_view> names_of(const std::vector<Precision>& precisions) {
  std::vector<std::string_view> names;
  for (const Precision precision : precisions) names.push_back(to_string(precision));
  return names;
}

/// As --device takes it: "cpu", or "cuda:1" where there are several.
std::string name_of(const BackendEntry& entry, const DeviceEntry& device) {
  return entry.devices.size() == 1 ? entry.name : fmt::format("{}:{}", entry.name, device.index);
}

/// Empty where the device can be used.
const std::string& why_unavailable(const BackendEntry& entry, const DeviceEntry& device) {
  return entry.unavailable.empty() ? device.unavailable : entry.unavailable;
}

std::string describe_device(const BackendEntry& entry, const DeviceEntry& device) {
  return make_backend(entry.name, std::nullopt, {.index = device.index})->description();
}

/// A line for each device, a backend's description below its last one.
void print_table(const std::vector<BackendEntry>& entries) {
  std::string text = fmt::format("{:<11}{:<22}{}\n", "BACKEND", "PRECISION", "DEVICE");
  const auto line = [&](std::string_view name, const std::vector<Precision>& precisions,
                        std::string_view device) {
    const std::string list = fmt::format("{}", fmt::join(names_of(precisions), " "));
    text += fmt::format("{:<11}{:<22}{}\n", name, list, device);
  };
  for (const BackendEntry& entry : entries) {
    if (entry.devices.empty()) line(entry.name, {}, "not available: " + entry.unavailable);
    for (const DeviceEntry& device : entry.devices) {
      const std::string& reason = why_unavailable(entry, device);
      std::string about =
          reason.empty() ? describe_device(entry, device) : "not available: " + reason;
      // A GPU and its libraries stand on a line each.
      const std::size_t libraries = about.find("; ");
      if (libraries != std::string::npos) {
        about.replace(libraries, 2, fmt::format("\n{:<33}", ""));
      }
      line(name_of(entry, device), device.precisions, about);
      for (const char* library : {"cudnn_file", "cublaslt_file"}) {
        const auto file = device.details.find(library);
        if (file != device.details.end()) line("", {}, file->second);
      }
    }
    line("", {}, entry.description);
  }
  print_result(text);
}

void print_json(const std::vector<BackendEntry>& entries) {
  Json list = Json::array();
  for (const BackendEntry& entry : entries) {
    const bool available = entry.unavailable.empty();
    Json devices = Json::array();
    for (const DeviceEntry& device : entry.devices) {
      const std::string& reason = why_unavailable(entry, device);
      devices.push_back({{"index", device.index},
                         {"name", name_of(entry, device)},
                         {"available", reason.empty()},
                         {"reason", reason.empty() ? Json() : Json(reason)},
                         {"device", reason.empty() ? Json(describe_device(entry, device)) : Json()},
                         {"precisions", names_of(device.precisions)},
                         {"details", device.details}});
    }
    list.push_back(
        {{"name", entry.name},
         {"description", entry.description},
         {"available", available},
         {"reason", available ? Json() : Json(entry.unavailable)},
         {"device", available ? Json(make_backend(entry.name)->description()) : Json()},
         {"precisions", names_of(entry.precisions())},
         {"details", entry.devices.empty() ? Json::object() : Json(entry.devices.front().details)},
         {"devices", devices}});
  }
  print_result(dump(list) + "\n");
}

/// Has the GPU choose its plans for the iteration of every preset, and keeps them.
void tune(const Settings& settings) {
  const std::string gpu = settings.device == "auto" ? "cuda" : settings.device;
  if (gpu != "cuda" && !gpu.starts_with("cuda:")) {
    fail(ErrorKind::usage, "--tune is for a GPU: expected --device cuda or a number, got '{}'",
         gpu);
  }
  const std::unique_ptr<Backend> backend =
      make_backend(gpu, parse_precision(settings.precision), {.tuning = Tuning::retune});
  if (cache_folder().empty()) {
    fail(ErrorKind::output, "there is no place for the plan cache: set IMPASTO_CACHE_DIR");
  }
  for (const std::string& name : preset_names()) {
    const Config config = preset(name);
    const std::int64_t side = settings.size.value_or(config.size);
    message("Timing {} at {}x{} in {}\n", name, side, side, to_string(backend->precision()));
    const Shape pixels{1, side, side, 3};
    static_cast<void>(estimate_memory(*backend, vgg19, config, pixels, std::array{pixels}));
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
               .footer = devices_explanation},
              list_devices);
}

}  // namespace impasto::app
