// SPDX-License-Identifier: MIT
#include "weights/zip_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <span>
#include <system_error>
#include <zlib.h>

#include "host/core/error.hpp"
#include "host/core/file_descriptor.hpp"
#include "weights/inflate.hpp"

// The format: PKWARE, "APPNOTE.TXT", version 6.3. A local header and an entry's bytes, for each
// entry; then the directory, which has the sizes; then the end record, at most 65,557 bytes before
// the end of the file, which says where the directory is. Zip64 has a second end record for what
// does not fit into 32 bits, and a locator of it; entries have such sizes in an extra field.

namespace impasto {
namespace {

constexpr std::uint32_t local_signature = 0x04034B50;
constexpr std::uint32_t directory_signature = 0x02014B50;
constexpr std::uint32_t end_signature = 0x06054B50;
constexpr std::uint32_t end64_signature = 0x06064B50;
constexpr std::uint32_t locator64_signature = 0x07064B50;
constexpr std::uint64_t local_bytes = 30;
constexpr std::uint64_t directory_entry_bytes = 46;
constexpr std::uint64_t end_bytes = 22;
constexpr std::uint64_t end64_bytes = 56;
constexpr std::uint64_t locator64_bytes = 20;
constexpr std::uint64_t max_comment = 65'535;

constexpr std::uint64_t max_entries = 20'000;
constexpr std::uint64_t max_directory = std::uint64_t{8} << 20U;
constexpr std::uint64_t max_name = 1024;

constexpr std::uint64_t in_zip64_16 = 0xFFFF;
constexpr std::uint64_t in_zip64_32 = 0xFFFFFFFF;

std::uint64_t number(std::string_view bytes, std::size_t at, std::size_t width) {
  std::uint64_t value = 0;
  for (std::size_t i = width; i-- > 0;) {
    value = value << 8U | static_cast<unsigned char>(bytes[at + i]);
  }
  return value;
}

std::string read(const SourceFile& file, std::uint64_t offset, std::uint64_t count) {
  std::string bytes(count, '\0');
  file.read(offset, bytes);
  return bytes;
}

struct Directory {
  std::uint64_t begin;
  std::uint64_t bytes;
  std::uint64_t entries;
};

/// The directory that the zip64 end record tells of; `end` is where the usual end record begins.
Directory find_directory64(const SourceFile& file, std::uint64_t end) {
  if (end < locator64_bytes) file.refuse("the archive lacks zip64's end record");
  const std::string locator = read(file, end - locator64_bytes, locator64_bytes);
  if (number(locator, 0, 4) != locator64_signature) {
    file.refuse("the archive lacks zip64's end record");
  }
  const std::string record = read(file, number(locator, 8, 8), end64_bytes);
  if (number(record, 0, 4) != end64_signature) file.refuse("zip64's end record is damaged");
  return {number(record, 48, 8), number(record, 40, 8), number(record, 32, 8)};
}

Directory find_directory(const SourceFile& file) {
  const std::uint64_t tail = std::min(file.bytes(), end_bytes + max_comment);
  const std::string bytes = read(file, file.bytes() - tail, tail);
  for (std::uint64_t at = tail < end_bytes ? 0 : tail - end_bytes + 1; at-- > 0;) {
    if (number(bytes, at, 4) != end_signature ||
        number(bytes, at + 20, 2) != tail - at - end_bytes) {
      continue;
    }
    if (number(bytes, at + 4, 2) != number(bytes, at + 6, 2)) {
      file.refuse("the archive is one of several parts");
    }
    const Directory found = {number(bytes, at + 16, 4), number(bytes, at + 12, 4),
                             number(bytes, at + 10, 2)};
    const bool zip64 =
        found.begin == in_zip64_32 || found.bytes == in_zip64_32 || found.entries == in_zip64_16;
    return zip64 ? find_directory64(file, file.bytes() - tail + at) : found;
  }
  file.refuse("the archive is cut short: it has no end record");
}

/// Takes the sizes that do not fit into 32 bits from an entry's extra fields.
void read_zip64(const SourceFile& file, std::string_view extra, ZipFile::Entry& entry) {
  while (extra.size() >= 4) {
    const std::uint64_t kind = number(extra, 0, 2);
    const std::uint64_t bytes = number(extra, 2, 2);
    if (bytes > extra.size() - 4) break;
    std::string_view field = extra.substr(4, bytes);
    extra.remove_prefix(4 + bytes);
    if (kind != 1) continue;
    for (std::uint64_t* value : {&entry.bytes, &entry.stored, &entry.begin}) {
      if (*value != in_zip64_32) continue;
      if (field.size() < 8) file.refuse(fmt::format("{} lacks a size of 64 bits", entry.name));
      *value = number(field, 0, 8);
      field.remove_prefix(8);
    }
    return;
  }
}

FileDescriptor open_temporary() {
  FileDescriptor file = open_nameless_file();
  if (!file) {
    const int reason = errno;
    std::error_code ignored;
    fail(ErrorKind::output, "cannot write a temporary file in '{}': {}",
         std::filesystem::temp_directory_path(ignored).string(),
         std::generic_category().message(reason));
  }
  return file;
}

void write(const FileDescriptor& file, std::span<const char> bytes) {
  if (const int reason = write_all(file, std::as_bytes(bytes))) {
    fail(ErrorKind::output, "cannot write a temporary file: {}; TMPDIR names another folder",
         std::generic_category().message(reason));
  }
}

SourceFile unpack(const SourceFile& compressed, const ZipFile::Entry& entry) {
  FileDescriptor file = open_temporary();
  Inflater inflater(compressed, Inflater::Form::deflate, entry.bytes);
  std::array<char, std::size_t{64} << 10U> block{};
  std::uint64_t bytes = 0;
  uLong crc = crc32(0, nullptr, 0);
  while (const std::size_t count = inflater.read_some(block)) {
    write(file, std::span(block).first(count));
    crc = crc32(crc, reinterpret_cast<const Bytef*>(block.data()), static_cast<uInt>(count));
    bytes += count;
  }
  if (bytes != entry.bytes || crc != entry.crc) {
    compressed.refuse(
        fmt::format("it unpacks to {} bytes with checksum {:08x}; expected {} with {:08x}", bytes,
                    crc, entry.bytes, entry.crc));
  }
  return {compressed.name(), std::move(file), bytes};
}

}  // namespace

ZipFile::ZipFile(SourceFile file) : file_(std::move(file)) { read_directory(); }

void ZipFile::read_directory() {
  const Directory directory = find_directory(file_);
  if (directory.bytes > max_directory || directory.entries > max_entries) {
    file_.refuse(
        fmt::format("the archive has {} entries in a directory of {} bytes; expected at "
                    "most {} and {}",
                    directory.entries, directory.bytes, max_entries, max_directory));
  }
  const std::string bytes = read(file_, directory.begin, directory.bytes);
  std::string_view rest = bytes;
  for (std::uint64_t i = 0; i < directory.entries; ++i) {
    if (rest.size() < directory_entry_bytes || number(rest, 0, 4) != directory_signature) {
      file_.refuse(fmt::format("the archive's directory is damaged at entry {}", i));
    }
    const std::uint64_t flags = number(rest, 8, 2);
    const std::uint64_t method = number(rest, 10, 2);
    const std::uint64_t name = number(rest, 28, 2);
    const std::uint64_t extra = number(rest, 30, 2);
    const std::uint64_t whole = directory_entry_bytes + name + extra + number(rest, 32, 2);
    if (whole > rest.size() || name > max_name) {
      file_.refuse(fmt::format("the archive's directory is damaged at entry {}", i));
    }
    Entry entry{std::string(rest.substr(directory_entry_bytes, name)),
                method != 0,
                number(rest, 42, 4),
                number(rest, 20, 4),
                number(rest, 24, 4),
                static_cast<std::uint32_t>(number(rest, 16, 4))};
    read_zip64(file_, rest.substr(directory_entry_bytes + name, extra), entry);
    constexpr std::uint64_t deflate_method = 8;
    constexpr std::uint64_t encrypted_flag = 1;
    if ((flags & encrypted_flag) != 0) file_.refuse(fmt::format("{} is encrypted", entry.name));
    if (method != 0 && method != deflate_method) {
      file_.refuse(fmt::format("{} is compressed by method {}; expected none or deflate",
                               entry.name, method));
    }
    if (!entry.deflated && entry.stored != entry.bytes) {
      file_.refuse(fmt::format("{} is stored in {} bytes and has {}", entry.name, entry.stored,
                               entry.bytes));
    }
    if (!by_name_.emplace(entry.name, entries_.size()).second) {
      file_.refuse(fmt::format("{} is there twice", entry.name));
    }
    entries_.push_back(std::move(entry));
    rest.remove_prefix(whole);
  }
  check_ranges(directory.begin);
}

/// Each entry must lie before the directory and share no byte with another, so that what an archive
/// unpacks to is bounded by its own size.
void ZipFile::check_ranges(std::uint64_t directory) const {
  std::vector<const Entry*> in_order;
  for (const Entry& entry : entries_) in_order.push_back(&entry);
  std::ranges::sort(in_order, {}, &Entry::begin);
  for (std::size_t i = 0; i < in_order.size(); ++i) {
    const Entry& entry = *in_order[i];
    const std::uint64_t end = i + 1 < in_order.size() ? in_order[i + 1]->begin : directory;
    const std::uint64_t used = local_bytes + entry.name.size();
    if (end < entry.begin || end - entry.begin < used || end - entry.begin - used < entry.stored) {
      file_.refuse(fmt::format("{} overlaps what follows it", entry.name));
    }
  }
}

const ZipFile::Entry* ZipFile::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &entries_[found->second];
}

SourceFile ZipFile::open(const Entry& entry, std::uint64_t max_bytes) const {
  if (entry.bytes > max_bytes) {
    file_.refuse(
        fmt::format("{} has {} bytes; expected at most {}", entry.name, entry.bytes, max_bytes));
  }
  // Weights hardly compress; what unfolds to much more is no weights but a bomb.
  constexpr std::uint64_t most_times = 100;
  constexpr std::uint64_t small = std::uint64_t{1} << 20U;
  if (entry.deflated && entry.bytes > small && entry.bytes / most_times > entry.stored) {
    file_.refuse(fmt::format("{} unpacks from {} to {} bytes; expected at most {} times as many",
                             entry.name, entry.stored, entry.bytes, most_times));
  }
  const std::string local = read(file_, entry.begin, local_bytes);
  if (number(local, 0, 4) != local_signature) {
    file_.refuse(fmt::format("{} is not where the archive's directory says", entry.name));
  }
  const std::uint64_t begin =
      entry.begin + local_bytes + number(local, 26, 2) + number(local, 28, 2);
  SourceFile content = file_.part(begin, entry.stored);
  content.rename(fmt::format("{}/{}", file_.name(), entry.name));
  return entry.deflated ? unpack(content, entry) : content;
}

}  // namespace impasto
