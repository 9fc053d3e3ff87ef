// SPDX-License-Identifier: MIT
#include "host/app/batch_worker.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <omp.h>
#include <optional>
#include <spawn.h>
#include <sys/prctl.h>
#include <system_error>
#include <unistd.h>

#include "host/app/batch_items.hpp"
#include "host/app/batch_steps.hpp"
#include "host/app/signals.hpp"
#include "host/app/values.hpp"
#include "host/backend/registry.hpp"
#include "host/batch/supervisor.hpp"

extern char** environ;

namespace impasto::app {
namespace {

/// Where a worker finds its end of the link.
constexpr int link_descriptor = 3;

std::vector<std::string> all_devices() {
  std::vector<std::string> names;
  for (const BackendEntry& entry : list_backends()) {
    if (!entry.unavailable.empty()) continue;
    for (const DeviceEntry& device : entry.devices) {
      if (!device.unavailable.empty()) continue;
      names.push_back(entry.devices.size() == 1 ? entry.name
                                                : fmt::format("{}:{}", entry.name, device.index));
    }
    if (!names.empty()) return names;
  }
  return names;
}

/// The words of a setting and its name as one argument: bytes, as file names are.
WordsByName words_of(std::span<char* const> arguments) {
  WordsByName words;
  for (const char* argument : arguments) {
    const std::string_view text(argument);
    const std::size_t equals = text.find('=');
    require(equals != std::string_view::npos, "a worker cannot take '{}'", text);
    words[std::string(text.substr(0, equals))].emplace_back(text.substr(equals + 1));
  }
  return words;
}

/// A worker's side of the link.
class Served {
 public:
  explicit Served(batch::Link link) : link_(std::move(link)) {}

  std::optional<batch::Item> next() {
    constexpr int a_moment = 100;
    while (!stopped()) {
      if (const auto message = link_.receive(a_moment)) {
        return batch::item_of_line(message->at("item").get<std::string>());
      }
      if (link_.ended()) return std::nullopt;
    }
    return std::nullopt;
  }

  void begun(const batch::Item& item) { tell(batch::message::begun, item); }
  void done(const batch::Item& item, const Json& record) {
    tell(batch::message::done, item, &record);
  }
  void failed(const batch::Item& item, const Json& record) {
    tell(batch::message::failed, item, &record);
  }
  /// Once a second is enough.
  void alive() {
    using std::chrono::steady_clock;
    const auto now =
        std::chrono::duration_cast<std::chrono::seconds>(steady_clock::now().time_since_epoch())
            .count();
    if (last_alive_.exchange(now) != now) {
      link_.send({{"event", batch::message::alive}, {"busy", busy_.seconds()}});
    }
  }
  void ended(const Error& reason) {
    link_.send({{"event", batch::message::ended},
                {"kind", static_cast<int>(reason.kind())},
                {"reason", reason.what()}});
  }
  [[nodiscard]] batch::BusyTime& busy() { return busy_; }
  [[nodiscard]] bool stopped() const { return caught_signal() != 0; }

 private:
  void tell(const char* event, const batch::Item& item, const Json* record = nullptr) {
    Json message = {
        {"event", event}, {"item", batch::stable_hash(item.output)}, {"busy", busy_.seconds()}};
    if (record != nullptr) message["record"] = *record;
    link_.send(message);
  }

  batch::Link link_;
  batch::BusyTime busy_;
  std::atomic<std::int64_t> last_alive_{0};
};

}  // namespace

std::vector<std::string> devices_of(const Settings& settings) {
  std::vector<std::string> devices = settings.batch.devices;
  if (devices.front() == "all") return all_devices();
  if (std::ranges::count(devices, "auto") > 0) {
    const std::vector<std::string> all = all_devices();
    if (!all.empty()) std::ranges::replace(devices, "auto", all.front());
  }
  return devices;
}

pid_t start_worker(const Settings& settings, const batch::RunDirectory* directory,
                   const std::string& device, int threads, const batch::Link& link,
                   bool one_by_one) {
  std::vector<std::string> arguments = {"impasto", worker_command, fmt::format("{}", ::getpid()),
                                        fmt::format("{}", threads),
                                        directory ? directory->path().string() : ""};
  WordsByName words = lasting_words(settings);
  words["output"] = {settings.batch.folder.string()};
  words["devices"] = {device};
  words["quiet"] = {"true"};
  if (one_by_one) {
    words["batch-size"] = {"1"};
  } else if (settings.batch.side_by_side) {
    words["batch-size"] = {fmt::format("{}", *settings.batch.side_by_side)};
  }
  if (settings.checkpoint_every) {
    words["checkpoint-every"] = {fmt::format("{}", *settings.checkpoint_every)};
  }
  for (const auto& [name, given] : words) {
    for (const std::string& word : given) arguments.push_back(name + "=" + word);
  }
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, link.descriptor(), link_descriptor);
  pid_t process = 0;
  const int reason =
      ::posix_spawn(&process, "/proc/self/exe", &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (reason != 0) {
    fail(ErrorKind::out_of_memory, "cannot start a worker: {}",
         std::generic_category().message(reason));
  }
  return process;
}

int work_for_supervisor(std::span<char* const> words) {
  // A worker does not outlive its supervisor, however that ends.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  require(words.size() >= 3, "a worker is started by 'impasto batch' alone");
  if (std::to_string(::getppid()) != words[0]) return 0;
  omp_set_num_threads(std::atoi(words[1]));
  const DeferredSignals deferred(DeferredSignals::Second::means_nothing);
  Served served{batch::Link{FileDescriptor(link_descriptor)}};
  try {
    Settings settings = settings_given("batch", words_of(words.subspan(3)), "the batch");
    settings.device = settings.batch.devices.front();
    std::optional<batch::RunDirectory> directory;
    if (*words[2] != '\0') directory.emplace(words[2]);
    BatchSteps steps(
        settings, directory ? &*directory : nullptr,
        {.next = [&] { return served.next(); },
         .begun = [&](const batch::Item& item) { served.begun(item); },
         .iterated = [&] { served.alive(); },
         .done = [&](const batch::Item& item, const Json& record) { served.done(item, record); },
         .failed = [&](const batch::Item& item,
                       const Json& record) { served.failed(item, record); },
         .stopped = [&] { return served.stopped(); },
         .busy = served.busy()});
    batch::run_pipeline(steps, steps.sizes());
    return 0;
  } catch (const Error& error) {
    served.ended(error);
    return static_cast<int>(error.kind());
  } catch (const std::exception& error) {
    served.ended(Error(ErrorKind::internal, error.what()));
    return static_cast<int>(ErrorKind::internal);
  }
}

}  // namespace impasto::app
