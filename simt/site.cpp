// SPDX-License-Identifier: MIT
#include "simt/site.hpp"

#include <array>
#include <cstdio>
#include <dlfcn.h>
#include <map>
#include <memory>
#include <sstream>
#include <utility>
#include <vector>

#include "simt/source_file.hpp"

namespace simt {
namespace {

/// A place that the compiler named, or an instruction.
struct Place {
  Site site;
  const void* instruction = nullptr;
};

struct Places {
  std::vector<Place> by_id;
  std::map<std::pair<const char*, int>, SiteId> by_site;
  std::map<const void*, SiteId> by_instruction;
  /// A cache of the last instructions: a kernel has few, and asks for them at every access.
  std::array<std::pair<const void*, SiteId>, 4096> recent{};
};

Places& places() {
  static Places all;
  return all;
}

std::string file_name(std::string_view path) {
  return std::string(path.substr(path.find_last_of('/') + 1));
}

std::string output_of(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::string output;
  std::array<char, 4096> buffer{};
  while (pipe && fgets(buffer.data(), static_cast<int>(buffer.size()), pipe.get()) != nullptr) {
    output += buffer.data();
  }
  return output;
}

/// The kernel's line, "pack.cuh:18 from rung_4.cuh:51" where the first is a function's that the kernel
/// has inlined from another file.
std::string look_up(const void* instruction) {
  Dl_info module{};
  if (dladdr(instruction, &module) == 0) return "an unknown place";
  const auto offset =
      static_cast<const char*>(instruction) - static_cast<const char*>(module.dli_fbase);
  std::ostringstream command;
  command << "addr2line -i -e '" << module.dli_fname << "' 0x" << std::hex << offset
          << " 2>/dev/null";
  std::istringstream lines(output_of(command.str()));
  std::string places;
  std::string file;  // of the last of them
  for (std::string line; std::getline(lines, line);) {
    if (line.find('?') != std::string::npos || !is_kernels_own(line)) continue;
    const std::string place = file_name(line.substr(0, line.find(" (")));
    const std::string its_file = place.substr(0, place.find(':'));
    if (its_file == file) continue;
    places += (places.empty() ? "" : " from ") + place;
    file = its_file;
  }
  if (!places.empty()) return places;
  std::ostringstream text;
  text << file_name(module.dli_fname) << "+0x" << std::hex << offset;
  return text.str();
}

}  // namespace

SiteId site_id(const Site& site) {
  Places& all = places();
  const auto [entry, is_new] =
      all.by_site.try_emplace({site.file, site.line}, static_cast<SiteId>(all.by_id.size()));
  if (is_new) all.by_id.push_back({site, nullptr});
  return entry->second;
}

SiteId site_id(const void* instruction) {
  Places& all = places();
  auto& [held, id] = all.recent[reinterpret_cast<std::uintptr_t>(instruction) % all.recent.size()];
  if (held != instruction) {
    const auto [entry, is_new] =
        all.by_instruction.try_emplace(instruction, static_cast<SiteId>(all.by_id.size()));
    if (is_new) all.by_id.push_back({{}, instruction});
    held = instruction;
    id = entry->second;
  }
  return id;
}

std::string to_string(SiteId site) {
  const Place& place = places().by_id.at(site);
  return place.instruction == nullptr ? to_string(place.site) : look_up(place.instruction);
}

std::string to_string(const Site& site) {
  return file_name(site.file) + ":" + std::to_string(site.line);
}

}  // namespace simt
