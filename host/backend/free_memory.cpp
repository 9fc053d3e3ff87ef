// SPDX-License-Identifier: MIT
#include "host/backend/free_memory.hpp"

#include <algorithm>
#include <fstream>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <unistd.h>

namespace impasto {
namespace {

namespace fs = std::filesystem;
using Bytes = std::optional<std::size_t>;

/// The number that a file begins with; nothing for "max" or where there is no file.
Bytes read_number(const fs::path& path) {
  std::ifstream file(path);
  std::size_t number = 0;
  return file >> number ? Bytes(number) : Bytes();
}

/// The number after a word that a line begins with: "MemAvailable:    8123456 kB".
Bytes read_entry(const fs::path& path, std::string_view word) {
  std::ifstream file(path);
  std::string name;
  for (std::size_t number = 0; file >> name; file.ignore(4096, '\n')) {
    if (name == word && file >> number) return number;
    file.clear();
  }
  return {};
}

Bytes smaller(Bytes a, Bytes b) { return a && b ? std::min(*a, *b) : a ? a : b; }

std::size_t left(std::size_t limit, std::size_t used) { return limit > used ? limit - used : 0; }

Bytes left_on_the_system(const fs::path& root) {
  const fs::path file = root / "proc/meminfo";
  const Bytes available = read_entry(file, "MemAvailable:");
  if (!available) return {};
  return (*available + read_entry(file, "SwapFree:").value_or(0)) << 10U;
}

/// What one group has left. Cached files count as free: the kernel drops them first.
Bytes left_in(const fs::path& group, const char* limit_file, const char* usage_file,
              std::string_view cached) {
  const Bytes limit = read_number(group / limit_file);
  const Bytes used = read_number(group / usage_file);
  if (!limit || !used) return {};
  const std::size_t files = read_entry(group / "memory.stat", cached).value_or(0);
  return left(*limit, *used - std::min(*used, files));
}

/// The least that the group and those above it have left, up to where they are mounted.
Bytes left_up_from(const fs::path& mount, const fs::path& group, const char* limit_file,
                   const char* usage_file, std::string_view cached) {
  Bytes least = left_in(mount, limit_file, usage_file, cached);
  fs::path place = mount;
  for (const fs::path& part : group.relative_path()) {
    place /= part;
    least = smaller(least, left_in(place, limit_file, usage_file, cached));
  }
  return least;
}

/// Lines are "0::/path" for version 2 and "5:memory:/path" for version 1 of control groups.
Bytes left_in_control_groups(const fs::path& root) {
  const fs::path mount = root / "sys/fs/cgroup";
  std::ifstream file(root / "proc/self/cgroup");
  Bytes least;
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const fs::path group = line.substr(second + 1);
    if (controllers.empty()) {
      least = smaller(least,
                      left_up_from(mount, group, "memory.max", "memory.current", "inactive_file"));
    } else if (("," + controllers + ",").find(",memory,") != std::string::npos) {
      least = smaller(least, left_up_from(mount / "memory", group, "memory.limit_in_bytes",
                                          "memory.usage_in_bytes", "total_inactive_file"));
    }
  }
  return least;
}

Bytes left_of_address_space(const fs::path& root) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return {};
  const Bytes pages = read_number(root / "proc/self/statm");
  const long page = ::sysconf(_SC_PAGESIZE);
  if (!pages || page <= 0) return {};
  return left(limit.rlim_cur, *pages * static_cast<std::size_t>(page));
}

}  // namespace

std::optional<std::size_t> free_memory(const fs::path& root) {
  return smaller(smaller(left_on_the_system(root), left_in_control_groups(root)),
                 left_of_address_space(root));
}

}  // namespace impasto
