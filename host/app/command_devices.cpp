// SPDX-License-Identifier: MIT
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "host/app/commands.hpp"
#include "host/app/describe.hpp"
#include "host/app/terminal.hpp"
#include "host/backend/registry.hpp"

namespace impasto::app {
namespace {

std::string precision_list(const BackendEntry& entry) {
  std::string text;
  for (const Precision precision : entry.precisions) {
    text += fmt::format("{}{}", text.empty() ? "" : " ", to_string(precision));
  }
  return text;
}

std::string device_or_reason(const BackendEntry& entry) {
  if (!entry.unavailable.empty()) return "not available: " + entry.unavailable;
  return make_backend(entry.name)->device();
}

void print_table(const std::vector<BackendEntry>& entries) {
  std::string text = fmt::format("{:<11}{:<22}{}\n", "BACKEND", "PRECISION", "DEVICE");
  for (const BackendEntry& entry : entries) {
    text +=
        fmt::format("{:<11}{:<22}{}\n", entry.name, precision_list(entry), device_or_reason(entry));
    text += fmt::format("{:<33}{}\n", "", entry.description);
  }
  print_result(text);
}

void print_json(const std::vector<BackendEntry>& entries) {
  Json list = Json::array();
  for (const BackendEntry& entry : entries) {
    Json precisions = Json::array();
    for (const Precision precision : entry.precisions) precisions.push_back(to_string(precision));
    const bool available = entry.unavailable.empty();
    list.push_back({{"name", entry.name},
                    {"description", entry.description},
                    {"available", available},
                    {"reason", available ? Json() : Json(entry.unavailable)},
                    {"device", available ? Json(make_backend(entry.name)->device()) : Json()},
                    {"precisions", precisions}});
  }
  print_result(dump(list) + "\n");
}

}  // namespace

void add_devices_command(CLI::App& program) {
  CLI::App* command = program.add_subcommand("devices", "List what this machine can compute with");
  command->footer(
      "A backend's first precision is its default; --backend auto takes the first\n"
      "backend that is available.");
  const auto json = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "as JSON");
  command->callback([json] {
    const std::vector<BackendEntry> entries = list_backends();
    if (*json) {
      print_json(entries);
    } else {
      print_table(entries);
    }
  });
}

}  // namespace impasto::app
