// SPDX-License-Identifier: MIT
#include "host/backend/tuning/plan_cache.hpp"

#include <cctype>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "host/core/atomic_file.hpp"
#include "host/core/error.hpp"

namespace impasto {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr int format = 1;
constexpr std::size_t longest_file = std::size_t{16} << 20U;

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] int get() const { return number_; }

 private:
  int number_;
};

/// The file's text; empty when it is missing, too long, or anything but a regular file.
std::string read_text(const std::string& path) {
  // Without waiting: the path may be a pipe.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
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

Json to_json(const Recipe& recipe) {
  return {{"implementation", recipe.implementation}, {"parameters", recipe.parameters}};
}

Json to_json(const Choice& choice) {
  Json timings = Json::array();
  for (const Timing& timing : choice.timings) {
    Json json = to_json(timing.recipe);
    json["microseconds"] = timing.microseconds;
    timings.push_back(std::move(json));
  }
  Json json = to_json(choice.recipe);
  json["workspace_bytes"] = choice.workspace_bytes;
  json["timings"] = std::move(timings);
  return json;
}

/// These throw Json::exception for what is missing or of another type.
std::int64_t whole_from(const Json& json) {
  // A conversion would take 0.5 and 1e300 as well.
  return json.get_ref<const Json::number_integer_t&>();
}

Recipe recipe_from(const Json& json) {
  Recipe recipe{json.at("implementation").get<std::string>(), {}};
  for (const auto& [name, value] : json.at("parameters").get_ref<const Json::object_t&>()) {
    recipe.parameters.emplace(name, whole_from(value));
  }
  return recipe;
}

Choice choice_from(const Json& json) {
  Choice choice{recipe_from(json), whole_from(json.at("workspace_bytes")), {}};
  for (const Json& timing : json.at("timings")) {
    choice.timings.push_back({recipe_from(timing), timing.at("microseconds").get<double>()});
  }
  return choice;
}

}  // namespace

std::string to_string(const Recipe& recipe) {
  std::string text = recipe.implementation;
  for (const auto& [name, value] : recipe.parameters) text += fmt::format(", {} {}", name, value);
  return text;
}

PlanCache::PlanCache(const std::string& folder, Machine machine)
    : machine_(std::move(machine)),
      path_(folder.empty() ? "" : (fs::path(folder) / file_name(machine_)).string()),
      choices_(read()) {}

std::optional<Choice> PlanCache::find(const std::string& problem) const {
  const auto found = choices_.find(problem);
  if (found == choices_.end()) return std::nullopt;
  return found->second;
}

void PlanCache::store(const std::string& problem, const Choice& choice) {
  choices_[problem] = choice;
  stored_[problem] = choice;
  if (path_.empty()) return;
  const std::string folder = fs::path(path_).parent_path().string();
  std::error_code failed;
  fs::create_directories(folder, failed);
  // Two processes would both read and the later would lose the other's: one after the other. A file
  // system that knows no locks keeps the file whole all the same.
  const Descriptor lock(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (lock.get() >= 0) static_cast<void>(::flock(lock.get(), LOCK_EX));
  Choices merged = stored_;
  merged.merge(read());
  write(merged);
}

PlanCache::Choices PlanCache::read() const {
  Choices choices;
  const Json file = Json::parse(read_text(path_), nullptr, false);
  if (!file.is_object() || file.value("format", Json()) != Json(format) ||
      file.value("machine", Json()) != Json(machine_)) {
    return choices;
  }
  const Json plans = file.value("plans", Json::object());
  if (!plans.is_object()) return choices;
  for (const auto& [problem, json] : plans.items()) {
    try {
      choices.emplace(problem, choice_from(json));
    } catch (const Json::exception&) {
      continue;  // absent, then
    }
  }
  return choices;
}

void PlanCache::write(const Choices& choices) const {
  Json plans = Json::object();
  for (const auto& [problem, choice] : choices) plans[problem] = to_json(choice);
  const std::string text =
      Json{{"format", format}, {"machine", machine_}, {"plans", std::move(plans)}}.dump(
          1, ' ', false, Json::error_handler_t::replace) +
      "\n";
  AtomicFile file(path_);
  file.write(std::as_bytes(std::span(text.data(), text.size())));
  file.commit();
}

std::string cache_folder() {
  const auto set = [](const char* name) -> std::string {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
  };
  if (std::string own = set("IMPASTO_CACHE_DIR"); !own.empty()) return own;
  // A relative one is to be ignored, says its specification.
  if (const std::string shared = set("XDG_CACHE_HOME"); shared.starts_with('/')) {
    return shared + "/impasto";
  }
  const std::string home = set("HOME");
  return home.empty() ? "" : home + "/.cache/impasto";
}

}  // namespace impasto
