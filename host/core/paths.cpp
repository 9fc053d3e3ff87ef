// SPDX-License-Identifier: MIT
#include "host/core/paths.hpp"

#include <system_error>

#include "host/core/error.hpp"

namespace impasto {

namespace fs = std::filesystem;

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(path, ignored));
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    fail(ErrorKind::output, "cannot make the folder '{}': {}", folder.string(), error.message());
  }
}

void fail_to_read(const std::string& path, int reason) {
  fail(ErrorKind::input, "cannot read '{}': {}", path, std::generic_category().message(reason));
}

void fail_to_write(const std::string& path, int reason) {
  fail(ErrorKind::output, "cannot write '{}': {}", path, std::generic_category().message(reason));
}

}  // namespace impasto
