// SPDX-License-Identifier: MIT
#include "host/batch/tar.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <limits>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "host/core/error.hpp"
#include "host/core/file_content.hpp"

namespace impasto::batch {

/// A header: IEEE Std 1003.1, pax, "ustar Interchange Format".
struct TarHeader {
  char name[100];
  char mode[8];
  char uid[8];
  char gid[8];
  char size[12];
  char mtime[12];
  char checksum[8];
  char type;
  char link[100];
  char magic[6];
  char version[2];
  char user[32];
  char group[32];
  char device[16];
  char prefix[155];
  char padding[12];
};

namespace {

constexpr std::int64_t block_bytes = 512;
static_assert(sizeof(TarHeader) == block_bytes);
/// What eleven octal digits can say.
constexpr std::int64_t largest_octal_size = (std::int64_t{1} << 33U) - 1;

template <std::size_t N>
std::string_view text_of(const char (&field)[N]) {
  return {field, ::strnlen(field, N)};
}

std::int64_t padded(std::int64_t size) {
  return (size + block_bytes - 1) / block_bytes * block_bytes;
}

/// Octal digits among blanks and NULs. Nothing for anything else.
template <std::size_t N>
std::optional<std::int64_t> octal(const char (&field)[N]) {
  std::string_view text = text_of(field);
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 8);
  const bool whole = error == std::errc() && end == text.data() + text.size() && value >= 0;
  return whole ? std::optional(value) : std::nullopt;
}

/// GNU writes what octal digits cannot hold in binary, big-endian, after a set bit.
template <std::size_t N>
std::optional<std::int64_t> size_of(const char (&field)[N]) {
  if ((static_cast<unsigned char>(field[0]) & 0x80U) == 0) return octal(field);
  std::int64_t value = static_cast<unsigned char>(field[0]) & 0x7FU;
  for (std::size_t i = 1; i < N; ++i) {
    if (value > std::numeric_limits<std::int64_t>::max() >> 8U) return std::nullopt;
    value = value * 256 + static_cast<unsigned char>(field[i]);
  }
  return value;
}

/// The sum of a header's bytes, with blanks for the sum itself.
std::int64_t checksum_of(const TarHeader& header) {
  std::array<unsigned char, block_bytes> bytes{};
  std::memcpy(bytes.data(), &header, block_bytes);
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const bool own = i >= offsetof(TarHeader, checksum) && i < offsetof(TarHeader, type);
    sum += own ? ' ' : bytes[i];
  }
  return sum;
}

/// A line of an extended header: "LENGTH KEY=VALUE\n", in which LENGTH counts all of the line.
std::string pax_line(std::string_view key, std::string_view value) {
  const std::size_t rest = std::string_view(" =\n").size() + key.size() + value.size();
  std::size_t length = rest + 1;
  while (fmt::formatted_size("{}", length) + rest != length) ++length;
  return fmt::format("{} {}={}\n", length, key, value);
}

}  // namespace

TarReader::TarReader(std::string path) : path_(std::move(path)), file_(open_to_read(path_)) {
  struct stat status {};
  if (!file_ || ::fstat(file_.get(), &status) != 0) {
    refuse(std::generic_category().message(errno));
  }
  if (!S_ISREG(status.st_mode)) refuse("not a regular file");
  size_ = status.st_size;
}

void TarReader::refuse(const std::string& reason) const {
  fail(ErrorKind::input, "cannot read '{}': {}", path_, reason);
}

std::optional<TarMember> TarReader::next() {
  Extension extension;
  while (const auto header = next_header()) {
    const bool extends = header->type == 'L' || header->type == 'x' || header->type == 'g';
    const auto size = extension.size && !extends ? extension.size : size_of(header->size);
    if (!size) refuse("the size of a file makes no sense");
    if (*size > size_ - at_) refuse("it ends early");
    const std::int64_t begin = at_;
    switch (header->type) {
      case 'L': extension.name = short_text(*size); break;
      case 'x': read_pax(short_text(*size), extension); break;
      case 'g': break;  // what holds for all files: no names
      case '5': extension = {}; break;
      case '0':
      case '\0': {
        at_ += padded(*size);
        return TarMember{name_of(*header, extension), begin, *size};
      }
      default:
        refuse(fmt::format("'{}' is no plain file but of type '{}'", text_of(header->name),
                           header->type));
    }
    at_ += padded(*size);
  }
  return std::nullopt;
}

TarMember TarReader::find(const std::string& name) {
  // Threads that work side by side ask in an order that differs by a few places.
  constexpr std::size_t most_passed = 256;
  const auto known = std::ranges::find(passed_, name, &TarMember::name);
  if (known != passed_.end()) return *known;
  const std::int64_t begin = at_;
  for (bool again = false;;) {
    auto member = next();
    if (!member) {
      if (again) break;
      again = true;
      at_ = 0;
      continue;
    }
    passed_.push_back(*member);
    if (passed_.size() > most_passed) passed_.pop_front();
    if (member->name == name) return *member;
    if (again && at_ >= begin) break;
  }
  refuse(fmt::format("there is no '{}' in it", name));
}

std::vector<std::byte> TarReader::read(const TarMember& member, std::int64_t most) const {
  if (member.size > most) {
    refuse(fmt::format("'{}' has {} bytes; {} at most are read", member.name, member.size, most));
  }
  std::vector<std::byte> bytes;
  bytes.reserve(static_cast<std::size_t>(member.size));
  for_each_block(member, [&](std::span<const std::byte> block) {
    bytes.insert(bytes.end(), block.begin(), block.end());
  });
  return bytes;
}

void TarReader::for_each_block(const TarMember& member,
                               const std::function<void(std::span<const std::byte>)>& visit) const {
  constexpr std::int64_t most = 1 << 20;
  for (std::int64_t done = 0; done < member.size; done += most) {
    const std::string block = bytes(member.offset + done, std::min(most, member.size - done));
    visit(std::as_bytes(std::span(block)));
  }
}

std::string TarReader::bytes(std::int64_t offset, std::int64_t count) const {
  std::string bytes(static_cast<std::size_t>(count), '\0');
  const std::optional<std::size_t> got =
      read_at(file_, std::as_writable_bytes(std::span(bytes)), static_cast<std::uint64_t>(offset));
  if (!got) refuse(std::generic_category().message(errno));
  if (*got < bytes.size()) refuse("it ends early");
  return bytes;
}

/// The next header, or nothing at the end: a block of zeros. An archive without one was cut off.
std::optional<TarHeader> TarReader::next_header() {
  const auto refuse_another_kind = [&] {
    const auto most = static_cast<std::int64_t>(described_bytes);
    refuse("its content is no tar archive but " +
           describe_content(bytes(0, std::min(size_, most))));
  };
  if (size_ - at_ < block_bytes) {
    if (at_ == 0) refuse_another_kind();
    refuse("it ends early");
  }
  const std::string read = bytes(at_, block_bytes);
  if (read.find_first_not_of('\0') == std::string::npos) return std::nullopt;
  TarHeader header{};
  std::memcpy(&header, read.data(), read.size());
  if (octal(header.checksum) != checksum_of(header)) {
    if (at_ == 0) refuse_another_kind();
    refuse("a header is damaged");
  }
  at_ += block_bytes;
  return header;
}

/// What an extension of a header says.
std::string TarReader::short_text(std::int64_t size) const {
  constexpr std::int64_t longest = 1 << 20;
  if (size > longest) refuse("a name is too long");
  return bytes(at_, size);
}

void TarReader::read_pax(const std::string& text, Extension& extension) const {
  for (std::size_t at = 0; at < text.size();) {
    std::size_t length = 0;
    const char* begin = text.data() + at;
    const auto [end, error] = std::from_chars(begin, text.data() + text.size(), length);
    const std::size_t digits = static_cast<std::size_t>(end - begin) + 1;
    if (error != std::errc() || length <= digits || length > text.size() - at || *end != ' ' ||
        text[at + length - 1] != '\n') {
      refuse("an extended header is damaged");
    }
    const std::string line = text.substr(at + digits, length - digits - 1);
    const std::size_t equals = line.find('=');
    const std::string key = line.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : line.substr(equals + 1);
    if (key.starts_with("GNU.sparse")) refuse("it has a sparse file");
    if (key == "path") extension.name = value;
    if (key == "size") {
      std::int64_t size = -1;
      const char* last = value.data() + value.size();
      const auto [stop, reason] = std::from_chars(value.data(), last, size);
      if (reason != std::errc() || stop != last || size < 0) {
        refuse("the size of a file makes no sense");
      }
      extension.size = size;
    }
    at += length;
  }
}

std::string TarReader::name_of(const TarHeader& header, const Extension& extension) const {
  std::string name(text_of(header.name));
  if (!extension.name.empty()) {
    name = extension.name.substr(0, extension.name.find('\0'));
  } else if (std::string_view(header.magic, 6) == std::string_view("ustar\0", 6) &&
             header.prefix[0] != '\0') {
    name = fmt::format("{}/{}", text_of(header.prefix), name);
  }
  const std::filesystem::path path(name);
  const bool leaves = std::ranges::find(path, "..") != path.end();
  if (name.empty() || path.is_absolute() || leaves || path.filename().empty()) {
    refuse(fmt::format("it names a file '{}'", name));
  }
  return name;
}

void TarWriter::add(const std::string& name, std::span<const std::byte> bytes) {
  const auto size = static_cast<std::int64_t>(bytes.size());
  begin(name, size);
  file_.write(bytes);
  fill_block(size);
}

void TarWriter::add(const std::string& name, const TarReader& archive, const TarMember& member) {
  begin(name, member.size);
  archive.for_each_block(member, [&](std::span<const std::byte> block) { file_.write(block); });
  fill_block(member.size);
}

void TarWriter::begin(const std::string& name, std::int64_t size) {
  std::string extension;
  if (name.size() > sizeof TarHeader::name) extension += pax_line("path", name);
  if (size > largest_octal_size) extension += pax_line("size", fmt::format("{}", size));
  if (!extension.empty()) {
    const auto length = static_cast<std::int64_t>(extension.size());
    write_header('x', "pax", length);
    file_.write(std::as_bytes(std::span(extension)));
    fill_block(length);
  }
  write_header('0', name.substr(0, sizeof TarHeader::name), size);
}

void TarWriter::write_header(char type, const std::string& name, std::int64_t size) {
  TarHeader header{};
  const auto put = [](auto& field, const std::string& text) {
    std::memcpy(field, text.data(), std::min(text.size(), sizeof field));
  };
  put(header.name, name);
  put(header.mode, "0000644");
  put(header.uid, "0000000");
  put(header.gid, "0000000");
  put(header.size, fmt::format("{:011o}", size > largest_octal_size ? 0 : size));
  put(header.mtime, "00000000000");
  header.type = type;
  put(header.magic, "ustar");
  put(header.version, "00");
  put(header.checksum, fmt::format("{:06o}", checksum_of(header)));
  header.checksum[7] = ' ';
  file_.write(std::as_bytes(std::span(&header, 1)));
}

/// Zeros up to the next block.
void TarWriter::fill_block(std::int64_t size) {
  const std::array<std::byte, block_bytes> zeros{};
  file_.write(std::span(zeros).first(static_cast<std::size_t>(padded(size) - size)));
}

void TarWriter::commit() {
  const std::array<std::byte, 2 * block_bytes> end{};
  file_.write(end);
  file_.commit();
}

}  // namespace impasto::batch
