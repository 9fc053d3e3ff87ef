// SPDX-License-Identifier: MIT
#include "host/batch/archives.hpp"

#include <algorithm>
#include <list>
#include <mutex>
#include <utility>

#include "host/core/error.hpp"
#include "host/image/encode.hpp"

namespace impasto::batch {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view archive_extension = ".tar";
constexpr std::string_view parts_extension = ".parts";

/// Archives that stay open from one picture to the next, each where it was read last. Workers read
/// a few at a time.
class OpenArchives {
 public:
  std::vector<std::byte> read(const InArchive& picture, std::int64_t most) {
    const std::lock_guard lock(mutex_);
    auto open = std::ranges::find(open_, picture.archive, &Open::path);
    if (open == open_.end()) {
      open = open_.insert(open_.begin(), {picture.archive, TarReader(picture.archive)});
      if (open_.size() > most_open) open_.pop_back();
    }
    open_.splice(open_.begin(), open_, open);
    return open->reader.read(open->reader.find(picture.member), most);
  }

 private:
  static constexpr std::size_t most_open = 4;
  struct Open {
    std::string path;
    TarReader reader;
  };
  std::mutex mutex_;
  std::list<Open> open_;  ///< the last one first
};

bool is_hidden(const std::string& name) {
  return std::ranges::any_of(fs::path(name), [](const fs::path& part) {
    return part.string().starts_with('.') && part != ".";
  });
}

}  // namespace

bool is_archive_name(const std::string& path) {
  return fs::path(path).extension() == archive_extension;
}

std::string name_of(const InArchive& picture) { return picture.archive + "//" + picture.member; }

std::optional<InArchive> in_archive(const std::string& name) {
  const std::size_t at = name.find(std::string(archive_extension) + "//");
  if (at == std::string::npos) return std::nullopt;
  const std::size_t end = at + archive_extension.size();
  return InArchive{name.substr(0, end), name.substr(end + 2)};
}

std::vector<std::byte> read_in_archive(const InArchive& picture, std::int64_t most) {
  static OpenArchives archives;
  return archives.read(picture, most);
}

fs::path parts_folder(const fs::path& archive) {
  return archive.string() + std::string(parts_extension);
}

bool is_part(const std::string& output) {
  const fs::path top = *fs::path(output).begin();
  return top.extension() == parts_extension && is_archive_name(top.stem().string());
}

std::string archive_of(const Item& item) {
  const bool packed = in_archive(item.content) && is_part(item.output);
  return packed ? fs::path(item.output).begin()->stem().string() : std::string();
}

std::string_view key_of(std::string_view name) {
  const std::size_t slash = name.rfind('/');
  return name.substr(0, name.find('.', slash == std::string_view::npos ? 0 : slash));
}

Samples::Samples(std::string archive, VisitPicture picture)
    : archive_(std::move(archive)), picture_(std::move(picture)) {}

/// Hidden files may stand between those of one key, as tar on a Mac has it.
std::optional<TarMember> Samples::next_visible() {
  std::optional<TarMember> member = archive_.next();
  while (member && is_hidden(member->name)) member = archive_.next();
  return member;
}

std::optional<Sample> Samples::next() {
  constexpr std::size_t most_companions = 1000;
  if (!ahead_) ahead_ = next_visible();
  if (!ahead_) return std::nullopt;
  Sample sample{.key = std::string(key_of(ahead_->name)), .companions = {}};
  for (; ahead_ && key_of(ahead_->name) == sample.key; ahead_ = next_visible()) {
    const std::string& name = ahead_->name;
    if (is_picture_name(name)) {
      if (picture_) picture_(*ahead_);
      continue;
    }
    if (std::ranges::find(sample.companions, name, &TarMember::name) != sample.companions.end()) {
      archive_.refuse(fmt::format("'{}' is in it twice", name));
    }
    if (sample.companions.size() == most_companions) {
      archive_.refuse(
          fmt::format("more than {} files belong to '{}'", most_companions, sample.key));
    }
    if (name.ends_with(".json") && ahead_->size > most_json_bytes) {
      archive_.refuse(fmt::format("'{}' has {} bytes; expected at most {}", name, ahead_->size,
                                  most_json_bytes));
    }
    sample.companions.push_back(*ahead_);
  }
  return sample;
}

const Sample& Samples::find(std::string_view key) {
  if (last_.key == key) return last_;
  for (const bool again : {false, true}) {
    if (again) archive_.rewind();
    while (auto sample = next()) {
      last_ = std::move(*sample);
      if (last_.key == key) return last_;
    }
  }
  archive_.refuse(fmt::format("there is no '{}' in it", key));
}

}  // namespace impasto::batch
