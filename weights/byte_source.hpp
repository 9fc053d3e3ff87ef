// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <fstream>
#include <span>
#include <string>
#include <vector>
#include <zlib.h>

namespace impasto {

/// Bytes that come one after the other. Throws ErrorKind::weights, naming the file, when they end
/// before what was asked for.
class ByteSource {
 public:
  explicit ByteSource(std::string path) : path_(std::move(path)) {}
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  virtual ~ByteSource() = default;

  /// Fills `to`.
  virtual void read(std::span<char> to) = 0;
  virtual void skip(std::uint64_t count) = 0;
  /// How many bytes were read or skipped.
  [[nodiscard]] std::uint64_t position() const { return position_; }
  [[nodiscard]] const std::string& path() const { return path_; }

  [[noreturn]] void refuse(const std::string& reason) const;

 protected:
  void advance(std::uint64_t count) { position_ += count; }

 private:
  std::string path_;
  std::uint64_t position_ = 0;
};

/// A file; skipping costs nothing.
class FileSource : public ByteSource {
 public:
  FileSource(const std::string& path, std::uint64_t bytes);

  void read(std::span<char> to) override;
  void skip(std::uint64_t count) override;
  [[nodiscard]] std::uint64_t remaining() const { return bytes_ - position(); }

 private:
  void check_remaining(std::uint64_t count) const;

  std::ifstream file_;
  std::uint64_t bytes_;
};

/// What the next `compressed` bytes of a file unfold to (zlib), at most 2 GiB. It uses constant
/// memory, so a bomb costs time alone.
class InflateSource : public ByteSource {
 public:
  InflateSource(FileSource& from, std::uint64_t compressed);
  ~InflateSource() override;

  void read(std::span<char> to) override;
  void skip(std::uint64_t count) override;
  /// Goes to the end, where zlib's checksum tells whether everything was right.
  void finish();

 private:
  bool inflate_some(std::span<char> to, std::size_t& written);

  FileSource& from_;
  std::uint64_t compressed_;
  std::vector<char> input_;
  z_stream stream_{};
};

}  // namespace impasto
