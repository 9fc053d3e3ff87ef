// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/batch/item.hpp"
#include "host/batch/tar.hpp"

namespace impasto::batch {

// WebDataset keeps pictures in tar archives of some thousand. Files that follow each other and have
// one name up to the first dot belong together: "x.jpg", "x.json", "x.cls". A picture in an archive
// is called "/data/a.tar//photos/x.jpg". Its result is made as a file, "a.tar.parts/photos/x_red.jpg",
// and in the end all results of an archive become "a.tar" (packing.hpp).

/// Whether a file of that name is read as an archive.
bool is_archive_name(const std::string& path);

/// A picture in an archive.
struct InArchive {
  std::string archive;
  std::string member;
};

/// "/data/a.tar//photos/x.jpg"
std::string name_of(const InArchive& picture);
/// What such a name means; nothing for other names.
std::optional<InArchive> in_archive(const std::string& name);

/// The bytes of a picture in an archive. The archives that were read last stay open, where they are.
/// Throws ErrorKind::input.
std::vector<std::byte> read_in_archive(const InArchive& picture, std::int64_t most);

/// Where the results of an archive are made: "a.tar.parts".
std::filesystem::path parts_folder(const std::filesystem::path& archive);

/// Whether a file, named relative to the output folder, is in such a folder.
bool is_part(const std::string& output);

/// The archive that an item's result becomes part of, relative to the output folder; empty for
/// others.
std::string archive_of(const Item& item);

/// The name up to the first dot of its last part.
std::string_view key_of(std::string_view name);

/// What belongs to the pictures of one key.
struct Sample {
  std::string key;
  std::vector<TarMember> companions;
};

/// The samples in an archive, one after the other. Hidden files are passed over.
class Samples {
 public:
  using VisitPicture = std::function<void(const TarMember&)>;

  /// `picture` is called for each picture, before next() returns its sample. Throws
  /// ErrorKind::input.
  explicit Samples(std::string archive, VisitPicture picture = {});

  /// Throws ErrorKind::input, also for a companion that is there twice.
  std::optional<Sample> next();
  /// The sample of that key, by going on from where this is, past the end and up to there again.
  /// Throws ErrorKind::input where there is none.
  const Sample& find(std::string_view key);

  [[nodiscard]] const TarReader& archive() const { return archive_; }

  /// A companion that is read as a whole has no more bytes.
  static constexpr std::int64_t most_json_bytes = std::int64_t{64} << 20U;

 private:
  std::optional<TarMember> next_visible();

  TarReader archive_;
  VisitPicture picture_;
  std::optional<TarMember> ahead_;
  Sample last_;
};

}  // namespace impasto::batch
