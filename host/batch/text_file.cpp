// SPDX-License-Identifier: MIT
#include "host/batch/text_file.hpp"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

#include "host/core/error.hpp"
#include "host/core/paths.hpp"

namespace impasto::batch {
namespace {

constexpr std::size_t read_bytes = 64 << 10;
constexpr std::size_t longest_piece = 1 << 20;

/// A pipe is read to its end, so its writer may be waited for.
FileDescriptor open_text(const std::string& path) {
  return FileDescriptor(path == "-" ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                                    : ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
}

}  // namespace

TextFile::TextFile(const std::string& path)
    : TextFile(open_text(path), path == "-" ? "standard input" : path) {}

TextFile::TextFile(FileDescriptor file, std::string name)
    : name_(std::move(name)), file_(std::move(file)) {
  if (!file_) fail_to_read(name_, errno);
}

bool TextFile::read_more() {
  if (ended_) return false;
  buffer_.erase(0, begin_);
  begin_ = 0;
  const std::size_t held = buffer_.size();
  buffer_.resize(held + read_bytes);
  ssize_t count = 0;
  do {
    count = ::read(file_.get(), buffer_.data() + held, read_bytes);
  } while (count < 0 && errno == EINTR);
  if (count < 0) fail_to_read(name_, errno);
  buffer_.resize(held + static_cast<std::size_t>(count));
  read_ += count;
  ended_ = count == 0;
  return !ended_;
}

void TextFile::go_to(std::int64_t position) {
  if (::lseek(file_.get(), position, SEEK_SET) < 0) fail_to_read(name_, errno);
  buffer_.clear();
  begin_ = 0;
  ended_ = false;
  read_ = position;
}

bool TextFile::holds_early(char letter) {
  while (buffer_.size() < read_bytes && read_more()) {
  }
  return std::string_view(buffer_).substr(0, read_bytes).find(letter) != std::string_view::npos;
}

std::optional<std::string> TextFile::next(char end) {
  std::size_t searched = begin_;
  for (;;) {
    const std::size_t found = buffer_.find(end, searched);
    if (found != std::string::npos) {
      std::string piece = buffer_.substr(begin_, found - begin_);
      begin_ = found + 1;
      ++line_;
      return piece;
    }
    if (buffer_.size() - begin_ > longest_piece) {
      fail(ErrorKind::input, "{}: piece {} is longer than {} bytes", name_, line_ + 1,
           longest_piece);
    }
    searched = buffer_.size() - begin_;
    if (read_more()) continue;
    if (begin_ == buffer_.size()) return std::nullopt;
    std::string piece = buffer_.substr(begin_);
    begin_ = buffer_.size();
    ++line_;
    return piece;
  }
}

}  // namespace impasto::batch
