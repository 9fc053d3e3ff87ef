// SPDX-License-Identifier: MIT
#include "weights/byte_source.hpp"

#include <algorithm>

#include "host/core/error.hpp"

namespace impasto {
namespace {

constexpr std::size_t block_bytes = std::size_t{64} << 10U;
constexpr std::uint64_t max_inflated = std::uint64_t{2} << 30U;

}  // namespace

void ByteSource::refuse(const std::string& reason) const {
  fail(ErrorKind::weights, "weights '{}' are refused: {}", path_, reason);
}

FileSource::FileSource(const std::string& path, std::uint64_t bytes)
    : ByteSource(path), file_(path, std::ios::binary), bytes_(bytes) {
  if (!file_) fail(ErrorKind::weights, "cannot read weights '{}'", path);
}

void FileSource::check_remaining(std::uint64_t count) const {
  if (count <= remaining()) return;
  refuse(fmt::format("the file is cut short: expected {} bytes at {}, found {}", count, position(),
                     remaining()));
}

void FileSource::read(std::span<char> to) {
  check_remaining(to.size());
  file_.read(to.data(), static_cast<std::streamsize>(to.size()));
  if (!file_) refuse(fmt::format("{} bytes at {} cannot be read", to.size(), position()));
  advance(to.size());
}

void FileSource::skip(std::uint64_t count) {
  check_remaining(count);
  file_.seekg(static_cast<std::streamoff>(count), std::ios::cur);
  advance(count);
}

InflateSource::InflateSource(FileSource& from, std::uint64_t compressed)
    : ByteSource(from.path()), from_(from), compressed_(compressed), input_(block_bytes) {
  require(inflateInit(&stream_) == Z_OK, "zlib cannot start");
}

InflateSource::~InflateSource() { inflateEnd(&stream_); }

/// False at the end of the stream.
bool InflateSource::inflate_some(std::span<char> to, std::size_t& written) {
  if (stream_.avail_in == 0 && compressed_ > 0) {
    const std::size_t count = std::min<std::uint64_t>(compressed_, input_.size());
    from_.read(std::span(input_).first(count));
    compressed_ -= count;
    stream_.next_in = reinterpret_cast<Bytef*>(input_.data());
    stream_.avail_in = static_cast<uInt>(count);
  }
  const std::size_t room = std::min(to.size(), block_bytes);
  stream_.next_out = reinterpret_cast<Bytef*>(to.data());
  stream_.avail_out = static_cast<uInt>(room);
  const int status = inflate(&stream_, Z_NO_FLUSH);
  written = room - stream_.avail_out;
  advance(written);
  if (position() > max_inflated) {
    refuse(fmt::format("compressed data unfold to more than {} bytes", max_inflated));
  }
  if (status == Z_STREAM_END) return false;
  if (status == Z_BUF_ERROR) refuse("compressed data end too early");
  if (status != Z_OK) {
    refuse(fmt::format("compressed data are damaged: {}",
                       stream_.msg == nullptr ? zError(status) : stream_.msg));
  }
  return true;
}

void InflateSource::read(std::span<char> to) {
  while (!to.empty()) {
    std::size_t written = 0;
    const bool more = inflate_some(to, written);
    to = to.subspan(written);
    if (!more && !to.empty()) refuse("compressed data hold less than they say");
  }
}

void InflateSource::skip(std::uint64_t count) {
  std::vector<char> unwanted(std::min<std::uint64_t>(count, block_bytes));
  while (count > 0) {
    const std::size_t piece = std::min<std::uint64_t>(count, unwanted.size());
    read(std::span(unwanted).first(piece));
    count -= piece;
  }
}

void InflateSource::finish() {
  std::vector<char> unwanted(block_bytes);
  std::size_t written = 0;
  while (inflate_some(unwanted, written)) {
  }
  from_.skip(compressed_);
}

}  // namespace impasto
