// SPDX-License-Identifier: MIT
#include "host/app/frames_record.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <span>
#include <sys/file.h>
#include <system_error>

#include "host/app/batch_items.hpp"
#include "host/app/describe.hpp"
#include "host/app/failure.hpp"
#include "host/core/atomic_file.hpp"
#include "host/core/paths.hpp"
#include "host/image/decode.hpp"
#include "host/image/encode.hpp"

namespace impasto::app {
namespace {

namespace fs = std::filesystem;

constexpr auto configuration_file = "frames.json";
constexpr auto sources_file = "sources.jsonl";

Json read_json(const fs::path& path) {
  constexpr std::size_t most_bytes = std::size_t{1} << 20U;
  const FileDescriptor file = open_to_read(path.string());
  std::string text(most_bytes, '\0');
  const auto size = file ? read_all(file, std::as_writable_bytes(std::span(text))) : std::nullopt;
  if (!size) fail_to_read(path.string(), errno);
  text.resize(*size);
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) {
    fail(ErrorKind::input, "cannot read '{}': expected the record of a film", path.string());
  }
  return json;
}

}  // namespace

void FramesRecord::begin(const Json& configuration, const std::function<void()>& before) {
  const fs::path file = path_ / configuration_file;
  std::error_code error;
  const bool begun = fs::exists(file, error);
  if (!begun) before();
  make_folder(path_);
  const std::string lock = path_ / "lock";
  lock_ = FileDescriptor(::open(lock.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666));
  if (!lock_) fail_to_write(lock, errno);
  // Some file systems have no locks; there, runs are not kept apart.
  if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    fail(ErrorKind::usage, "{}: another process works on this film", path_.parent_path().string());
  }
  if (begun) {
    const std::string difference = difference_of(read_json(file), configuration);
    if (difference.empty()) return;
    if (keeps_any()) {
      throw HintedError(ErrorKind::usage,
                        fmt::format("{}: a film of another configuration has begun here: {}",
                                    path_.parent_path().string(), difference),
                        "another OUT begins a new one");
    }
    before();  // that film ended before its first frame
  }
  write_atomically(file.string(), dump(configuration) + "\n");
}

std::optional<Json> FramesRecord::configuration() const {
  const fs::path file = path_ / configuration_file;
  std::error_code ignored;
  return fs::exists(file, ignored) ? std::optional(read_json(file)) : std::nullopt;
}

bool FramesRecord::keeps_any() const {
  std::error_code ignored;
  return std::ranges::any_of(fs::directory_iterator(path_, ignored),
                             [](const auto& entry) { return entry.path().extension() == ".tif"; });
}

fs::path FramesRecord::file_of(std::int64_t frame) const {
  return path_ / fmt::format("{:06}.tif", frame + 1);
}

KeptFrame FramesRecord::keep(std::int64_t frame, const KeptFrame& kept) {
  Image result = kept.result;
  result.bits = 16;
  save_image(result, file_of(frame).string(),
             dump({{"frame", frame}, {"scene", kept.scene}, {"loss", kept.loss}}));
  std::optional<KeptFrame> again = find(frame);
  if (!again) {
    fail(ErrorKind::output, "{}: cannot be read again", file_of(frame).string());
  }
  return std::move(*again);
}

std::optional<KeptFrame> FramesRecord::find(std::int64_t frame) const {
  const std::string path = file_of(frame).string();
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return std::nullopt;
  try {
    const Json facts = Json::parse(read_comment(path));
    if (facts.at("frame") != frame) return std::nullopt;
    return KeptFrame{load_image(path), facts.at("scene").get<std::int64_t>(),
                     facts.at("loss").get<double>()};
  } catch (const Json::exception&) {
    return std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

void FramesRecord::forget(std::int64_t frame) const {
  std::error_code ignored;
  fs::remove(file_of(frame), ignored);
}

void FramesRecord::note_source(const std::string& name, const std::string& sha256) const {
  const std::string path = (path_ / sources_file).string();
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  const std::string line = dump({{"name", name}, {"sha256", sha256}}) + "\n";
  const int reason = file ? write_all(file, std::as_bytes(std::span(line))) : errno;
  if (reason != 0) fail_to_write(path, reason);
}

/// A line that a crash has torn says nothing.
std::map<std::string, std::string> FramesRecord::sources() const {
  std::map<std::string, std::string> found;
  std::ifstream lines(path_ / sources_file);
  for (std::string line; std::getline(lines, line);) {
    const Json facts = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!facts.is_object() || !facts.contains("name") || !facts.contains("sha256")) continue;
    if (!facts["name"].is_string() || !facts["sha256"].is_string()) continue;
    found[facts["name"]] = facts["sha256"];
  }
  return found;
}

}  // namespace impasto::app
