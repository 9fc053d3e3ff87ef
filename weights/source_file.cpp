// SPDX-License-Identifier: MIT
#include "weights/source_file.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <unistd.h>

#include "host/core/error.hpp"

namespace impasto {

namespace fs = std::filesystem;

SourceFile::SourceFile(const std::string& path, std::uint64_t max_bytes) : name_(path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (error) fail(ErrorKind::weights, "cannot read weights '{}': {}", path, error.message());
  if (!fs::is_regular_file(status)) {
    fail(ErrorKind::weights, "cannot read weights '{}': expected a file, found a {}", path,
         fs::is_directory(status) ? "directory" : "device or pipe");
  }
  FileDescriptor file = open_to_read(path);
  if (!file) {
    fail(ErrorKind::weights, "cannot read weights '{}': {}", path,
         std::generic_category().message(errno));
  }
  bytes_ = fs::file_size(path, error);
  if (error) fail(ErrorKind::weights, "cannot read weights '{}': {}", path, error.message());
  if (bytes_ == 0) fail(ErrorKind::weights, "cannot read weights '{}': {}", path, why_empty(file));
  file_ = std::make_shared<const FileDescriptor>(std::move(file));
  if (bytes_ > max_bytes) {
    fail(ErrorKind::weights, "weights '{}' are refused: expected at most {} bytes, found {}", path,
         max_bytes, bytes_);
  }
}

SourceFile::SourceFile(std::string name, FileDescriptor file, std::uint64_t bytes)
    : name_(std::move(name)),
      file_(std::make_shared<const FileDescriptor>(std::move(file))),
      bytes_(bytes) {}

void SourceFile::check_range(std::uint64_t offset, std::uint64_t bytes) const {
  if (bytes <= bytes_ && offset <= bytes_ - bytes) return;
  refuse(fmt::format("the file is cut short or damaged: expected {} bytes at {}, it has {}", bytes,
                     offset, bytes_));
}

void SourceFile::read(std::uint64_t offset, std::span<char> to) const {
  check_range(offset, to.size());
  const std::optional<std::size_t> count =
      read_at(*file_, std::as_writable_bytes(to), begin_ + offset);
  if (!count) {
    fail(ErrorKind::weights, "cannot read weights '{}': {}", name_,
         std::generic_category().message(errno));
  }
  if (*count < to.size()) refuse("the file became shorter while it was read");
}

std::string SourceFile::head(std::size_t most) const {
  std::string bytes(std::min<std::uint64_t>(bytes_, most), '\0');
  read(0, bytes);
  return bytes;
}

SourceFile SourceFile::part(std::uint64_t offset, std::uint64_t bytes) const {
  check_range(offset, bytes);
  SourceFile part = *this;
  part.begin_ += offset;
  part.bytes_ = bytes;
  return part;
}

void SourceFile::refuse(const std::string& reason) const {
  constexpr std::size_t longest = 1000;  // names in hostile files have millions of letters
  fail(ErrorKind::weights, "weights '{}' are refused: {}", name_, reason.substr(0, longest));
}

}  // namespace impasto
