// SPDX-License-Identifier: MIT
#include "weights/file_kind.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>

#include "host/core/error.hpp"
#include "host/core/file_content.hpp"

namespace impasto {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::string_view hdf5_signature = "\x89HDF\r\n\x1a\n"sv;
constexpr std::size_t matlab_user_block = 512;  // MATLAB 7.3 puts the HDF5 file behind it

FileKind kind_of(std::string_view head) {
  if (head.starts_with(hdf5_signature)) return FileKind::hdf5;
  if (head.size() > matlab_user_block &&
      head.substr(matlab_user_block).starts_with(hdf5_signature)) {
    return FileKind::matlab73;
  }
  // Level 5: 124 bytes of text and offsets, then a version and "MI" or "IM" for the byte order.
  if (head.size() >= 128 && (head.substr(126, 2) == "IM" || head.substr(126, 2) == "MI")) {
    const char major = head[126] == 'I' ? head[125] : head[124];
    return major == 2 ? FileKind::matlab73 : FileKind::matlab5;
  }
  return FileKind::other;
}

}  // namespace

IdentifiedFile identify_weight_file(const std::string& path, std::uint64_t max_bytes) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (error) fail(ErrorKind::weights, "cannot read weights '{}': {}", path, error.message());
  if (!fs::is_regular_file(status)) {
    fail(ErrorKind::weights, "cannot read weights '{}': expected a file, found a {}", path,
         fs::is_directory(status) ? "directory" : "device or pipe");
  }
  const std::uint64_t bytes = fs::file_size(path, error);
  if (error) fail(ErrorKind::weights, "cannot read weights '{}': {}", path, error.message());
  if (bytes == 0) fail(ErrorKind::weights, "cannot read weights '{}': the file is empty", path);
  if (bytes > max_bytes) {
    fail(ErrorKind::weights, "weights '{}' are refused: expected at most {} bytes, found {}", path,
         max_bytes, bytes);
  }

  std::array<char, described_bytes> block{};
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  file.read(block.data(), block.size());
  if (!file && !file.eof()) {
    fail(ErrorKind::weights, "cannot read weights '{}': {}", path,
         std::generic_category().message(errno));
  }
  const std::string_view head(block.data(), static_cast<std::size_t>(file.gcount()));
  return {kind_of(head), bytes, describe_content(head)};
}

}  // namespace impasto
