// SPDX-License-Identifier: MIT
#include "weights/store.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "host/core/digest.hpp"
#include "host/core/error.hpp"
#include "host/core/paths.hpp"
#include "weights/download.hpp"
#include "weights/file_kind.hpp"
#include "weights/source_file.hpp"

namespace impasto {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t max_download = std::uint64_t{2} << 30U;

/// By the XDG Base Directory Specification, which has relative folders ignored.
std::optional<fs::path> store() {
  const auto folder = [](const char* variable) -> std::optional<fs::path> {
    const char* value = std::getenv(variable);
    if (value == nullptr || *value != '/') return std::nullopt;
    return fs::path(value);
  };
  if (const auto data = folder("XDG_DATA_HOME")) return *data / "impasto" / "weights";
  if (const auto home = folder("HOME")) return *home / ".local/share/impasto/weights";
  return std::nullopt;
}

std::string file_name(const KnownFile& file) { return fmt::format("{}.h5", file.id); }

struct Hashes {
  std::string sha256;
  std::string md5;
};

Hashes hash(const std::string& path) {
  Digest sha256(DigestKind::sha256);
  Digest md5(DigestKind::md5);
  for_each_block(path, [&](std::span<const std::byte> block) {
    sha256.update(block);
    md5.update(block);
  });
  return {sha256.finish(), md5.finish()};
}

bool has_published_hash(const KnownFile& file, const Hashes& hashes) {
  if (!file.sha256.empty()) return hashes.sha256 == file.sha256;
  return !file.md5.empty() && hashes.md5 == file.md5;
}

}  // namespace

std::string stored_path(const KnownFile& file) {
  const std::optional<fs::path> folder = store();
  if (!folder) {
    fail(ErrorKind::usage,
         "there is no folder to keep weights in: neither XDG_DATA_HOME nor HOME "
         "names one");
  }
  return (*folder / file_name(file)).string();
}

bool is_stored(const KnownFile& file) {
  const std::optional<fs::path> folder = store();
  std::error_code error;
  return folder && fs::is_regular_file(*folder / file_name(file), error);
}

std::optional<std::string> find_stored_weights() {
  for (const KnownFile& file : known_files()) {
    if (!file.id.empty() && is_stored(file)) return stored_path(file);
  }
  return std::nullopt;
}

const KnownFile* find_in_catalogue(std::string_view id) {
  const auto found = std::ranges::find(known_files(), id, &KnownFile::id);
  return id.empty() || found == known_files().end() ? nullptr : &*found;
}

FetchReport fetch_weights(const KnownFile& file, const FetchOptions& options) {
  const fs::path kept = stored_path(file);
  const fs::path folder = kept.parent_path() / "downloads";
  make_folder(folder);
  const std::string source = (folder / fs::path(file.name)).string();
  const std::string url = options.url.empty() ? std::string(file.url) : options.url;

  const auto fetch = [&] {
    download(url, source,
             {.bytes = file.bytes,
              .max_bytes = file.bytes > 0 ? file.bytes : max_download,
              .patience = options.patience,
              .progress = options.fetching});
    return hash(source);
  };
  std::error_code ignored;
  const bool continued = fs::file_size(source, ignored) > 0 && !ignored;
  Hashes hashes = fetch();
  if (continued && !has_published_hash(file, hashes)) {
    // What an earlier run left may have been of another file.
    fs::remove(source, ignored);
    hashes = fetch();
  }
  const bool has_hash = !file.sha256.empty() || !file.md5.empty();
  if (has_hash && !has_published_hash(file, hashes)) {
    const std::string content = identify(SourceFile(source, max_download)).content;
    const bool by_sha256 = !file.sha256.empty();
    fs::remove(source, ignored);
    fail(ErrorKind::weights, "'{}' is not {}: expected the {} {}, found {}; it is {}", url,
         file.name, by_sha256 ? "SHA-256" : "MD5", by_sha256 ? file.sha256 : file.md5,
         by_sha256 ? hashes.sha256 : hashes.md5, content);
  }
  FetchReport report{
      kept.string(), hashes.sha256, has_hash,
      convert_weights(source, kept.string(), Preparation::automatic, options.converting)};
  fs::remove(source, ignored);
  fs::remove(folder, ignored);  // unless it holds another download
  return report;
}

}  // namespace impasto
