// SPDX-License-Identifier: MIT
#include "host/batch/supervisor.hpp"

#include <algorithm>
#include <csignal>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/wait.h>

namespace impasto::batch {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int most_deaths = 3;    ///< of workers, that an item may cause
constexpr int most_failures = 3;  ///< of a device's samples in a row

struct Device;

/// An item that was in the hands of a worker that died.
struct Suspect {
  Item item;
  int deaths = 0;
  const Device* last_device = nullptr;
};

/// What a worker process is there for.
enum class Task : std::uint8_t {
  items,     ///< many items, several at once
  suspects,  ///< items that may kill it, one by one
  sample,    ///< to show that the device works
};

struct Held {
  Item item;
  bool begun = false;
};

struct Worker {
  Task task;
  pid_t process;
  Link link;
  std::map<std::uint64_t, Held> held = {};
  int earlier_deaths = 0;  ///< that the suspect has caused which it holds
  bool told_all = false;   ///< nothing more will be sent to it
  double busy = 0;         ///< seconds, as it has told
  Clock::time_point heard = Clock::now();
  std::optional<Error> reason = {};  ///< as it says why it ends
  bool hung = false;
};

struct Device {
  std::string name;
  std::unique_ptr<Worker> worker = nullptr;
  bool doubtful = false;  ///< it has lost a worker since it last made a sample
  int failures = 0;
  bool retired = false;
  double busy = 0;  ///< seconds, of workers that have ended
};

/// Failures that another worker would meet as well.
bool ends_batch(ErrorKind kind) {
  return kind == ErrorKind::output || kind == ErrorKind::weights || kind == ErrorKind::usage;
}

class Supervisor {
 public:
  explicit Supervisor(const Supervision& supervision) : given_(supervision) {
    for (const std::string& name : supervision.devices) devices_.push_back({.name = name});
  }

  ~Supervisor() {
    for (Device& device : devices_) {
      if (device.worker == nullptr) continue;
      ::kill(device.worker->process, SIGKILL);
      static_cast<void>(end_of(*device.worker));
    }
  }

  void run() {
    for (;;) {
      if (given_.stopped()) return stop();
      // One item each, in turn: few items are spread over all devices.
      for (bool fed = true; fed;) {
        fed = false;
        for (Device& device : devices_) {
          employ(device);
          fed = feed(device) || fed;
        }
      }
      if (std::ranges::none_of(devices_, [](const Device& d) { return d.worker != nullptr; })) {
        break;
      }
      listen();
    }
    if (fresh().has_value() || !suspects_.empty()) fail_without_devices();
  }

 private:
  // Items.

  /// The next item that nobody has begun, which stays where it is.
  std::optional<std::reference_wrapper<Item>> fresh() {
    if (waiting_.empty()) {
      if (auto item = given_.next()) waiting_.push_back(std::move(*item));
    }
    return waiting_.empty() ? std::nullopt : std::optional(std::ref(waiting_.front()));
  }

  /// A suspect for this device, rather one that another device has failed.
  std::list<Suspect>::iterator suspect_for(const Device& device) {
    const auto others = std::ranges::find_if(
        suspects_, [&](const Suspect& suspect) { return suspect.last_device != &device; });
    const bool alone =
        std::ranges::count_if(devices_, [](const Device& d) { return !d.retired; }) < 2;
    if (others != suspects_.end() || suspects_.empty()) return others;
    // Another device may take it, unless it is busy to the end.
    return alone ||
                   std::ranges::none_of(devices_,
                                        [&](const Device& d) {
                                          return &d != &device && !d.retired && d.worker == nullptr;
                                        })
               ? suspects_.begin()
               : suspects_.end();
  }

  // Workers.

  /// Gives a device without a worker one, if there is something to do.
  void employ(Device& device) {
    if (device.retired || device.worker != nullptr) return;
    const bool any_fresh = fresh().has_value();
    if (!any_fresh && suspect_for(device) == suspects_.end()) return;
    if (device.doubtful) {
      start(device, Task::sample);
      send(*device.worker, {.output = "",
                            .content = "sample:scene",
                            .styles = {"sample:painting"},
                            .options = {{"size", {"64"}}, {"iterations", {"1"}}}});
      tell_all(*device.worker);
    } else {
      start(device, any_fresh ? Task::items : Task::suspects);
    }
  }

  void start(Device& device, Task task) {
    auto [here, there] = Link::make();
    const pid_t process = given_.start(device.name, there, task != Task::items);
    device.worker =
        std::make_unique<Worker>(Worker{.task = task, .process = process, .link = std::move(here)});
  }

  static void send(Worker& worker, const Item& item) {
    worker.held[stable_hash(item.output)] = {item};
    worker.link.send({{"item", to_line(item)}});
  }

  static void tell_all(Worker& worker) {
    worker.link.finish();
    worker.told_all = true;
  }

  /// Gives a device's worker one item, if it has room and there is one; whether it did.
  bool feed(Device& device) {
    if (device.worker == nullptr || device.worker->told_all) return false;
    Worker& worker = *device.worker;
    if (worker.task == Task::suspects) return feed_suspect(device);
    const bool fed = worker.held.size() < given_.at_once && fresh();
    if (fed) {
      send(worker, waiting_.front());
      waiting_.pop_front();
    }
    if (!fresh()) tell_all(worker);
    return fed;
  }

  /// Only when the one before has been made.
  bool feed_suspect(const Device& device) {
    Worker& worker = *device.worker;
    if (!worker.held.empty()) return false;
    const auto suspect = suspect_for(device);
    const bool fed = suspect != suspects_.end();
    if (!fed) {
      tell_all(worker);
    } else {
      worker.earlier_deaths = suspect->deaths;
      send(worker, suspect->item);
      suspects_.erase(suspect);
    }
    return fed;
  }

  // Messages.

  /// Waits a moment for messages, takes what has come, and looks after those that are silent.
  void listen() {
    std::vector<pollfd> places;
    for (const Device& device : devices_) {
      if (device.worker) places.push_back({device.worker->link.descriptor(), POLLIN, 0});
    }
    constexpr int a_moment = 100;
    ::poll(places.data(), places.size(), a_moment);
    for (Device& device : devices_) {
      if (device.worker == nullptr) continue;
      Worker& worker = *device.worker;
      while (const auto message = worker.link.receive(0)) take(device, *message);
      if (worker.link.ended()) {
        bury(device);
      } else if (Clock::now() - worker.heard > given_.patience) {
        worker.hung = true;
        ::kill(worker.process, SIGKILL);
      }
    }
  }

  void take(Device& device, const Json& message) {
    Worker& worker = *device.worker;
    worker.heard = Clock::now();
    if (const auto busy = message.find("busy"); busy != message.end()) {
      worker.busy = busy->get<double>();
      given_.busy(static_cast<std::size_t>(&device - devices_.data()), device.busy + worker.busy);
    }
    const auto event = message.at("event").get<std::string>();
    if (event == message::ended) {
      worker.reason = Error(static_cast<ErrorKind>(message.at("kind").get<int>()),
                            message.at("reason").get<std::string>());
    } else if (event != message::alive) {
      const auto hash = message.at("item").get<std::uint64_t>();
      if (event == message::begun) {
        worker.held[hash].begun = true;
        return;
      }
      if (worker.task == Task::sample) {
        if (event == message::done) worker.held.erase(hash);
        return;
      }
      const Item item = worker.held[hash].item;
      worker.held.erase(hash);
      any_made_ = any_made_ || event == message::done;
      (event == message::done ? given_.done : given_.failed)(item, message.at("record"));
    }
  }

  // Ends.

  /// Waits for a process; why it ended, for people.
  static std::string end_of(const Worker& worker) {
    int status = 0;
    while (::waitpid(worker.process, &status, 0) < 0 && errno == EINTR) {
    }
    if (worker.hung) return "it hung";
    if (worker.reason) return worker.reason->what();
    if (WIFSIGNALED(status)) {
      const int signal = WTERMSIG(status);
      return fmt::format("it was ended by signal {} ({})", signal, ::strsignal(signal));
    }
    return fmt::format("it ended with {}", WEXITSTATUS(status));
  }

  /// A worker has ended: what did it leave?
  void bury(Device& device) {
    const std::unique_ptr<Worker> worker = std::move(device.worker);
    device.busy += worker->busy;
    const std::string why = end_of(*worker);
    if (worker->reason && ends_batch(worker->reason->kind())) throw Error(*worker->reason);
    if (worker->held.empty() && !worker->reason) {
      if (worker->task == Task::sample) device.doubtful = false;
      device.failures = 0;
      return;
    }
    last_reason_ = worker->reason.value_or(Error(ErrorKind::internal, why));
    if (worker->task == Task::sample) {
      fail_sample(device, why);
      return;
    }
    device.doubtful = true;
    for (auto& [hash, held] : worker->held) {
      if (held.begun && given_.finished(held.item)) {
        any_made_ = true;
      } else if (held.begun) {
        accuse(std::move(held.item), worker->earlier_deaths + 1, device, why);
      } else {
        waiting_.push_back(std::move(held.item));
      }
    }
    given_.note(fmt::format("the worker on {} is lost: {}", device.name, why));
  }

  void accuse(Item item, int deaths, const Device& device, const std::string& why) {
    if (deaths >= most_deaths) {
      given_.give_up(item, fmt::format("it took its worker with it {} times: {}", deaths, why));
    } else {
      suspects_.push_back({std::move(item), deaths, &device});
    }
  }

  void fail_sample(Device& device, const std::string& why) {
    if (++device.failures < most_failures) return;
    device.retired = true;
    given_.note(fmt::format("{} is given up: {} samples in a row failed: {}", device.name,
                            device.failures, why));
  }

  [[noreturn]] void fail_without_devices() {
    const Error reason = last_reason_.value_or(Error(ErrorKind::internal, "no reason is known"));
    // Not a device that broke, but one that was not there.
    if (!any_made_ && reason.kind() == ErrorKind::backend) throw Error(reason);
    fail(ErrorKind::out_of_memory, "no device is left that works: {}", reason.what());
  }

  /// Workers give up what they have in hand.
  void stop() {
    for (const Device& device : devices_) {
      if (device.worker) ::kill(device.worker->process, SIGTERM);
    }
    for (Device& device : devices_) {
      if (device.worker == nullptr) continue;
      Worker& worker = *device.worker;
      while (!worker.link.ended()) {
        if (const auto message = worker.link.receive(100)) take(device, *message);
        if (Clock::now() - worker.heard > given_.patience) ::kill(worker.process, SIGKILL);
      }
      static_cast<void>(end_of(worker));
      device.worker = nullptr;
    }
  }

  const Supervision& given_;
  std::vector<Device> devices_;
  std::deque<Item> waiting_;  ///< handed out and come back, or about to be handed out
  std::list<Suspect> suspects_;
  std::optional<Error> last_reason_;
  bool any_made_ = false;
};

}  // namespace

void supervise(const Supervision& supervision) { Supervisor(supervision).run(); }

}  // namespace impasto::batch
