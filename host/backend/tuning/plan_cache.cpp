// SPDX-License-Identifier: MIT
#include "host/backend/tuning/plan_cache.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>

#include "host/core/atomic_file.hpp"
#include "host/core/error.hpp"
#include "host/core/file_descriptor.hpp"

namespace impasto {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr int format = 1;
constexpr std::size_t longest_file = std::size_t{16} << 20U;
constexpr int deepest = 8;  // two levels more than our own files have

/// The file's text; empty when it is missing, too long, or anything but a regular file. A link in a
/// shared folder may be somebody's trap.
std::string read_text(const std::string& path) {
  const FileDescriptor file(
      ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
  if (status.st_size < 0 || static_cast<std::size_t>(status.st_size) > longest_file) return {};
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t length = 0;
  while (length < text.size()) {
    const ssize_t count = ::read(file.get(), text.data() + length, text.size() - length);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    length += static_cast<std::size_t>(count);
  }
  text.resize(length);
  return text;
}

/// Null where the text is no JSON, or nested deeper than ours is: other code of this file copies and
/// compares values recursively.
Json parse(const std::string& text) {
  struct TooDeep {};
  try {
    return Json::parse(text, [](int depth, Json::parse_event_t /*event*/, const Json& /*value*/) {
      if (depth > deepest) throw TooDeep();
      return true;
    });
  } catch (const Json::exception&) {
    return {};
  } catch (const TooDeep&) {
    return {};
  }
}

/// Takes the folder's lock, for two seconds at most: whoever can read a shared folder can hold it.
FileDescriptor lock_folder(const std::string& folder) {
  FileDescriptor lock(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  constexpr int tries = 200;
  for (int i = 0; lock && i < tries; ++i) {
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return lock;
}

/// A name that any file system takes: "NVIDIA H100" becomes "NVIDIA-H100".
std::string file_name(const Machine& machine) {
  std::string name = "plans";
  for (const auto& [key, value] : machine) {
    name += '-';
    for (const char letter : value) {
      const bool plain = std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '.';
      name += plain ? letter : '-';
    }
  }
  return name.substr(0, 200) + ".json";
}

Json to_json(const AlgoId& id) {
  return {{"implementation", id.implementation}, {"parameters", id.parameters}};
}

Json to_json(const CachedAlgo& algo) {
  Json timings = Json::array();
  for (const Timing& timing : algo.timings) {
    Json json = to_json(timing.id);
    json["microseconds"] = timing.microseconds;
    timings.push_back(std::move(json));
  }
  Json json = to_json(algo.id);
  json["workspace_bytes"] = algo.workspace_bytes;
  json["timings"] = std::move(timings);
  json["complete"] = algo.complete;
  if (!algo.differing.empty()) {
    json["differing"] = Json::array();
    for (const AlgoId& id : algo.differing) json["differing"].push_back(to_json(id));
  }
  if (!algo.taken_from.empty()) json["taken_from"] = algo.taken_from;
  if (!algo.alike.empty()) {
    json["alike"] = algo.alike;
    json["pixels"] = algo.pixels;
  }
  return json;
}

/// These throw Json::exception for what is missing or of another type.
std::int64_t whole_from(const Json& json) {
  // A conversion would take 0.5 and 1e300 as well.
  return json.get_ref<const Json::number_integer_t&>();
}

AlgoId id_from(const Json& json) {
  AlgoId id{json.at("implementation").get<std::string>(), {}};
  for (const auto& [name, value] : json.at("parameters").get_ref<const Json::object_t&>()) {
    id.parameters.emplace(name, whole_from(value));
  }
  return id;
}

CachedAlgo algo_from(const Json& json) {
  CachedAlgo algo{id_from(json), whole_from(json.at("workspace_bytes")), {}};
  for (const Json& timing : json.at("timings")) {
    algo.timings.push_back({id_from(timing), timing.at("microseconds").get<double>()});
  }
  for (const Json& id : json.value("differing", Json::array())) {
    algo.differing.push_back(id_from(id));
  }
  algo.complete = json.value("complete", true);
  algo.taken_from = json.value("taken_from", "");
  algo.alike = json.value("alike", "");
  algo.pixels = whole_from(json.value("pixels", Json(0)));
  return algo;
}

}  // namespace

std::string to_string(const AlgoId& id) {
  std::string text = id.implementation;
  for (const auto& [name, value] : id.parameters) text += fmt::format(", {} {}", name, value);
  return text;
}

PlanCache::PlanCache(const std::string& folder, Machine machine)
    : machine_(std::move(machine)),
      path_(folder.empty() ? "" : (fs::path(folder) / file_name(machine_)).string()),
      algos_(read()) {}

std::optional<CachedAlgo> PlanCache::find(const std::string& problem) const {
  const auto found = algos_.find(problem);
  if (found == algos_.end()) return std::nullopt;
  return found->second;
}

std::optional<std::pair<std::string, CachedAlgo>> PlanCache::find_near(
    const ProblemName& problem) const {
  if (problem.alike.empty()) return std::nullopt;
  // How many times the larger one has the smaller one's pixels.
  const auto distance = [&](const CachedAlgo& algo) {
    const auto [less, more] =
        std::minmax({static_cast<double>(algo.pixels), static_cast<double>(problem.pixels)});
    return less > 0 ? more / less : std::numeric_limits<double>::infinity();
  };
  std::optional<std::pair<std::string, CachedAlgo>> nearest;
  for (const auto& [text, algo] : algos_) {
    if (algo.alike != problem.alike || !algo.taken_from.empty() || distance(algo) > 2) continue;
    if (!nearest || distance(algo) < distance(nearest->second)) nearest = {text, algo};
  }
  return nearest;
}

void PlanCache::store(const std::string& problem, const CachedAlgo& algo) {
  algos_[problem] = algo;
  stored_[problem] = algo;
  if (path_.empty()) return;
  const std::string folder = fs::path(path_).parent_path().string();
  std::error_code failed;
  fs::create_directories(folder, failed);
  // Processes take turns, or the later one would lose what the earlier one wrote. Without the lock
  // the file stays whole all the same.
  const FileDescriptor lock = lock_folder(folder);
  Algos merged = stored_;
  merged.merge(read());
  std::string text = to_text(merged);
  // A file that is too long to be read again would lose everything.
  if (text.size() > longest_file) text = to_text(stored_);
  AtomicFile file(path_, AtomicFile::Link::replace);
  file.write(std::as_bytes(std::span(text.data(), text.size())));
  file.commit();
}

PlanCache::Algos PlanCache::read() const {
  Algos algos;
  const Json file = parse(read_text(path_));
  const auto holds = [&](const char* key, const Json& expected) {
    const auto found = file.find(key);
    return found != file.end() && *found == expected;
  };
  if (!file.is_object() || !holds("format", format) || !holds("machine", machine_)) return algos;
  const auto plans = file.find("plans");
  if (plans == file.end() || !plans->is_object()) return algos;
  for (const auto& [problem, json] : plans->items()) {
    try {
      algos.emplace(problem, algo_from(json));
    } catch (const Json::exception&) {
      continue;  // absent, then
    }
  }
  return algos;
}

std::string PlanCache::to_text(const Algos& algos) const {
  Json plans = Json::object();
  for (const auto& [problem, algo] : algos) plans[problem] = to_json(algo);
  return Json{{"format", format}, {"machine", machine_}, {"plans", std::move(plans)}}.dump(
             1, ' ', false, Json::error_handler_t::replace) +
         "\n";
}

std::string cache_folder() {
  const auto set = [](const char* name) -> std::string {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
  };
  if (std::string own = set("IMPASTO_CACHE_DIR"); !own.empty()) return own;
  // The XDG specification says to ignore a relative path.
  if (const std::string shared = set("XDG_CACHE_HOME"); shared.starts_with('/')) {
    return shared + "/impasto";
  }
  const std::string home = set("HOME");
  return home.empty() ? "" : home + "/.cache/impasto";
}

}  // namespace impasto
