// SPDX-License-Identifier: MIT
#include "host/app/about.hpp"

#include <fmt/ranges.h>
#include <string_view>
#include <vector>

#include "host/app/commit.hpp"  // build_commit.cmake writes it at every build, if it changed
#include "host/app/version.hpp"
#include "host/backend/registry.hpp"
#include "host/image/decode.hpp"
#include "weights/download.hpp"
#include "weights/hdf5_handle.hpp"

namespace impasto::app {
namespace {

std::string commit() {
  constexpr std::string_view hash = IMPASTO_COMMIT;
  if (hash == "unknown") return "unknown: built outside of its repository";
  const bool changed = std::string_view(IMPASTO_DIRTY) == "true";
  return fmt::format("{}{}", hash.substr(0, 12), changed ? ", with changes" : "");
}

/// By name, each with the reason where it cannot be used here.
std::string backends() {
  std::vector<std::string> names;
  for (const BackendEntry& entry : list_backends()) {
    names.push_back(entry.unavailable.empty()
                        ? entry.name
                        : fmt::format("{} (not available: {})", entry.name, entry.unavailable));
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string hdf5() {
  unsigned major = 0;
  unsigned minor = 0;
  unsigned release = 0;
  H5get_libversion(&major, &minor, &release);
  return fmt::format("HDF5 {}.{}.{}", major, minor, release);
}

}  // namespace

std::string about_program() {
  const std::vector<std::string> libraries = {image_library(), hdf5(), download_library()};
  return fmt::format(
      "impasto {}\ncommit     {}\ncompiler   {}\nbackends   {}\ncpu        {}\nlibraries  {}\n",
      version, commit(), compiler, backends(), make_backend("cpu")->description(),
      fmt::join(libraries, ", "));
}

}  // namespace impasto::app
