// SPDX-License-Identifier: MIT
#include "host/batch/item_file.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <span>
#include <system_error>
#include <unordered_map>

#include "host/core/atomic_file.hpp"
#include "host/core/error.hpp"
#include "host/core/file_descriptor.hpp"

namespace impasto::batch {
namespace {

constexpr std::size_t write_bytes = 64 << 10;

[[noreturn]] void fail_to_keep(int reason) {
  fail(ErrorKind::output, "cannot keep the list of items in '{}': {}",
       std::filesystem::temp_directory_path().string(), std::generic_category().message(reason));
}

FileDescriptor nameless_file() {
  FileDescriptor file = open_nameless_file();
  if (!file) fail_to_keep(errno);
  return file;
}

}  // namespace

std::optional<Item> ItemReader::next() {
  const auto line = text_.next('\n');
  return line ? std::optional(item_of_line(*line)) : std::nullopt;
}

ItemFile::ItemFile(Writes writes) : writes_(std::move(writes)), file_(nameless_file()) {}

void ItemFile::add(const Item& item) {
  ++count_;
  for (const std::string& name : writes_(item)) hashes_.push_back(stable_hash(name));
  buffer_ += to_line(item);
  if (buffer_.size() >= write_bytes) flush();
}

void ItemFile::flush() {
  const std::span<const std::byte> bytes = std::as_bytes(std::span(buffer_));
  digest_.update(bytes);
  if (const int reason = write_all(file_, bytes)) fail_to_keep(reason);
  buffer_.clear();
}

void ItemFile::finish() {
  flush();
  sha256_ = digest_.finish();
  refuse_clashes();
}

void ItemFile::refuse_clashes() {
  std::ranges::sort(hashes_);
  std::unordered_map<std::uint64_t, std::vector<std::pair<std::string, Item>>> suspects;
  for (auto at = std::ranges::adjacent_find(hashes_); at != hashes_.end();
       at = std::adjacent_find(at + 1, hashes_.end())) {
    suspects[*at] = {};
    constexpr std::size_t enough = 100;
    if (suspects.size() == enough) break;
  }
  if (suspects.empty()) return;
  ItemReader reader = read();
  while (auto item = reader.next()) {
    for (const std::string& name : writes_(*item)) {
      const auto found = suspects.find(stable_hash(name));
      if (found == suspects.end()) continue;
      for (const auto& [same, other] : found->second) {
        if (same != name) continue;
        fail(ErrorKind::usage, "two results would be '{}': that of {} in {} and that of {} in {}",
             name, other.content, fmt::join(other.styles, " and "), item->content,
             fmt::join(item->styles, " and "));
      }
      found->second.emplace_back(name, *item);
    }
  }
}

ItemReader ItemFile::read() const {
  // By the name of the descriptor, so that every reader has a place of its own in the file.
  const std::string path = fmt::format("/proc/self/fd/{}", file_.get());
  return {FileDescriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC)), "the list of items"};
}

void ItemFile::save(const std::string& path) const {
  AtomicFile copy(path);
  for_each_block(fmt::format("/proc/self/fd/{}", file_.get()),
                 [&](std::span<const std::byte> bytes) { copy.write(bytes); });
  copy.commit();
}

}  // namespace impasto::batch
