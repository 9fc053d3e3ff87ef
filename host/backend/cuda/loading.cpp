// SPDX-License-Identifier: MIT
#include "host/backend/cuda/loading.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <dlfcn.h>
#include <filesystem>
#include <link.h>
#include <utility>
#include <vector>

#include "host/core/error.hpp"

namespace impasto::cuda {
namespace {

struct Architecture {
  ComputeCapability capability;
  bool machine_code = true;
  bool intermediate_code = true;
  bool exact = false;  ///< "90a": runs on this version only
};

std::vector<Architecture> parse(std::string_view list) {
  std::vector<Architecture> all;
  while (!list.empty()) {
    const std::string_view item = list.substr(0, list.find(' '));
    list.remove_prefix(std::min(list.size(), item.size() + 1));
    int number = 0;
    const char* end = item.data() + item.size();
    const char* rest = std::from_chars(item.data(), end, number).ptr;
    if (number == 0) continue;
    all.push_back({{number / 10, number % 10},
                   !item.ends_with("-virtual"),
                   !item.ends_with("-real"),
                   rest != end && *rest != '-'});
  }
  return all;
}

}  // namespace

std::vector<std::string> places_of(const std::string& file, std::string_view wheel) {
  std::vector<std::string> places;
  Dl_info own{};
  if (::dladdr(reinterpret_cast<const void*>(&spelled), &own) != 0) {
    const auto packages = std::filesystem::absolute(own.dli_fname).parent_path().parent_path();
    places.push_back(packages / "nvidia" / wheel / "lib" / file);
  }
  const auto folder_in = [](const char* variable) {
    const char* value = std::getenv(variable);
    return std::filesystem::path(value == nullptr ? "" : value);
  };
  if (const auto conda = folder_in("CONDA_PREFIX"); !conda.empty()) {
    places.push_back(conda / "lib" / file);
  }
  places.push_back(file);
  auto toolkit = folder_in("CUDA_HOME");
  if (toolkit.empty()) toolkit = folder_in("CUDA_PATH");
  if (toolkit.empty()) toolkit = "/usr/local/cuda";
  places.push_back(toolkit / "lib64" / file);
  return places;
}

SharedLibrary::SharedLibrary(std::string file, std::string_view wheel)
    : file_(std::move(file)), handle_(::dlopen(file_.c_str(), RTLD_NOLOAD | RTLD_NOW)) {
  if (handle_ != nullptr) return;
  std::string reason;
  for (const std::string& place : places_of(file_, wheel)) {
    const bool system_looks = place == file_;
    if (!system_looks && !std::filesystem::exists(place)) continue;
    handle_ = ::dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle_ != nullptr) return;
    reason = ::dlerror();
    if (!system_looks) break;  // a copy that is broken is better named than passed over
  }
  fail(ErrorKind::backend, "cannot load {}: {}", file_, reason);
}

std::string SharedLibrary::path() const {
  const link_map* loaded = nullptr;
  return ::dlinfo(handle_, RTLD_DI_LINKMAP, &loaded) == 0 ? loaded->l_name : file_;
}

void* SharedLibrary::symbol(const char* name) const {
  void* found = ::dlsym(handle_, name);
  if (found == nullptr) fail(ErrorKind::backend, "{} has no {}", file_, name);
  return found;
}

bool runs_on(std::string_view architectures, const ComputeCapability& gpu) {
  const std::vector<Architecture> all = parse(architectures);
  return all.empty() || std::any_of(all.begin(), all.end(), [&](const Architecture& built) {
           const bool same_major = built.capability.major == gpu.major;
           const bool same = same_major && built.capability.minor == gpu.minor;
           if (same || built.exact) return same;
           const bool older_minor = same_major && built.capability.minor < gpu.minor;
           return (built.machine_code && older_minor) ||
                  (built.intermediate_code && (older_minor || built.capability.major < gpu.major));
         });
}

std::string spelled(std::string_view architectures) {
  std::string text;
  for (const Architecture& built : parse(architectures)) {
    text += fmt::format("{}{}.{}", text.empty() ? "" : ", ", built.capability.major,
                        built.capability.minor);
  }
  return text;
}

}  // namespace impasto::cuda
