// SPDX-License-Identifier: MIT
// Every call that a device answers goes wrong once, in every way, while a batch is computed: each
// picture is made right in the end or reported, and nothing hangs.
#include <csignal>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>
#include <sys/prctl.h>
#include <unistd.h>

#include "host/backend/registry.hpp"
#include "host/batch/pipeline.hpp"
#include "host/batch/supervisor.hpp"
#include "tests/host/batch/faulty_backend.hpp"
#include "tests/support/toy_network.hpp"
#include "tests/temporary_folder.hpp"

namespace impasto::batch::device_faults_test {
namespace {

namespace fs = std::filesystem;
using test::Calls;
using test::FaultKind;

constexpr std::size_t deepest = 2;  // conv1_1, conv1_2, pool1

Config toy_config() {
  Config config = preset("coursera");
  config.objective["content"].layers = {{"conv1_2", 1}};
  config.objective["style"].layers = {{"conv1_1", 1}};
  config.objective["tv"].weight = 1;
  config.optimizer = AdamOptions{.learning_rate = 2};
  config.pyramid_levels = 2;
  config.average = 0.5;
  config.iterations = 2;
  return config;
}

/// The same with losses behind the pool, which takes maxima, and an optimiser that keeps more.
Config deep_config() {
  Config config = toy_config();
  config.objective.pool.mode = kernels::PoolMode::max;
  config.objective["content"].layers = {{"pool1", 1}};
  config.objective["style"].layers = {{"conv1_1", 1}, {"pool1", 1}};
  config.optimizer = LbfgsOptions{.learning_rate = 0.5, .history = 2};
  config.average = 0;
  config.pyramid_levels = 1;
  return config;
}

/// One picture of two, which every item is; the item's name says the fault: "wrong-17", "deep-17".
Work toy_work(const Item& item) {
  const Image content = test::random_image(18, 20, 1);
  return {.item = item,
          .config = item.output.starts_with("deep") ? deep_config() : toy_config(),
          .content = content,
          .styles = {{test::random_image(16, 16, 2), 1}},
          .initial = content,
          .configuration = item.output,
          .style_names = {}};
}

const std::map<std::string, FaultKind> kinds = {{"memory", FaultKind::out_of_memory},
                                                {"sticky", FaultKind::sticky},
                                                {"lost", FaultKind::lost},
                                                {"hung", FaultKind::hung},
                                                {"wrong", FaultKind::wrong},
                                                {"deep", FaultKind::wrong}};

/// A worker's pipeline, in a process of its own.
class FaultySteps final : public Steps {
 public:
  FaultySteps(Link link, fs::path folder) : link_(std::move(link)), folder_(std::move(folder)) {}

  std::optional<Item> next() override {
    while (!link_.ended()) {
      if (const auto message = link_.receive(100)) {
        return item_of_line(message->at("item").get<std::string>());
      }
    }
    return std::nullopt;
  }

  /// The fault of an item happens once, whoever makes it.
  Work load(const Item& item) override {
    tell(message::begun, item);
    const std::string name = item.output;
    const std::size_t dash = name.find('-');
    calls_.count = 0;
    calls_.fault = {};
    if (dash != std::string::npos && !fs::exists(folder_ / ("faulted-" + name))) {
      calls_.fault = {kinds.at(name.substr(0, dash)), std::stoll(name.substr(dash + 1))};
      calls_.before = [this, name] { std::ofstream(folder_ / ("faulted-" + name)) << "once\n"; };
    }
    // Another kind and another way to pool, which change nothing here: no loss is behind the pool, or
    // no side is odd. So the network and the plan are made anew for each item.
    Work work = toy_work(item);
    kernels::PoolKind& pool = work.config.objective.pool;
    if (name.starts_with("deep")) {
      pool.rounding = odd_ ? kernels::PoolRounding::down : kernels::PoolRounding::up;
    } else {
      pool.mode = odd_ ? kernels::PoolMode::max : kernels::PoolMode::average;
    }
    odd_ = !odd_;
    return work;
  }

  std::size_t side_by_side(const Work&) override { return 1; }

  std::unique_ptr<Stream> open_stream() override {
    return std::make_unique<Stream>(
        test::make_faulty_backend(make_backend("cpu"), calls_),
        [](Backend& backend, const Objective& objective) {
          return std::make_shared<const Network>(backend, test::random_weights(deepest),
                                                 objective.pool, deepest);
        },
        busy_);
  }

  void save(Stream&, const Work& work, Outcome outcome) override {
    if (!work.item.output.empty()) {
      const auto& rgb = outcome.picture.rgb;
      std::ofstream file(folder_ / work.item.output, std::ios::binary);
      file.write(reinterpret_cast<const char*>(rgb.data()),
                 static_cast<std::streamsize>(rgb.size() * sizeof(float)));
      file.close();
      std::ofstream(folder_ / "calls") << calls_.count;
    }
    tell(message::done, work.item, {{"output", work.item.output}});
  }

  void failed(const Item& item, const Error& reason) override {
    tell(message::failed, item, {{"output", item.output}, {"reason", reason.what()}});
  }

  void reached(Stream&, std::span<const Work>, const Progress&) override {
    link_.send({{"event", message::alive}});
  }
  Checkpoints checkpoints(std::span<const Work>) override { return {}; }
  bool stopped() override { return false; }

  /// Serves the link until there is no more to do. What is thrown beside ends the process: it must
  /// not go on as a second test.
  void serve() noexcept {
    try {
      run_pipeline(*this, PipelineSizes{});
    } catch (const Error& error) {
      link_.send({{"event", message::ended},
                  {"kind", static_cast<int>(error.kind())},
                  {"reason", error.what()}});
    }
  }

 private:
  void tell(const char* event, const Item& item, const Json& record = {}) const {
    link_.send({{"event", event}, {"item", stable_hash(item.output)}, {"record", record}});
  }

  Link link_;
  fs::path folder_;
  Calls calls_;
  BusyTime busy_;
  bool odd_ = false;
};

class DeviceFaultsTest : public testing::Test {
 protected:
  DeviceFaultsTest() { compare_with("undisturbed"); }

  /// Makes the picture that is right from now on, and counts its calls.
  void compare_with(const std::string& name) {
    EXPECT_THAT(make({name}), testing::ElementsAre(testing::Pair(name, "")));
    right_ = read_all(folder_ / name);
    std::ifstream(folder_ / "calls") >> calls_;
  }

  /// What became of items: nothing said of those that were made, or the reason.
  std::map<std::string, std::string> make(const std::vector<std::string>& names) {
    std::map<std::string, std::string> ends;
    std::size_t given = 0;
    const auto end = [&](const std::string& name, const std::string& reason) {
      EXPECT_TRUE(ends.emplace(name, reason).second) << name << " ended twice";
    };
    supervise(
        {.devices = std::vector<std::string>(16, "toy"),
         .at_once = 1,
         .patience = std::chrono::seconds(3),
         .next = [&]() -> std::optional<Item> {
           if (given == names.size()) return std::nullopt;
           return Item{.output = names[given++], .content = "toy", .styles = {"toy"}};
         },
         .start =
             [&](const std::string&, const Link& link, bool /*one_by_one*/) {
               const pid_t process = ::fork();
               if (process != 0) return process;
               ::prctl(PR_SET_PDEATHSIG, SIGKILL);
               FaultySteps(Link(FileDescriptor(::dup(link.descriptor()))), folder_).serve();
               ::_exit(0);
             },
         .done = [&](const Item&, const Json& record) { end(record.at("output"), ""); },
         .failed = [&](const Item&,
                       const Json& record) { end(record.at("output"), record.at("reason")); },
         .finished = [](const Item&) { return false; },
         .give_up = [&](const Item& item, const std::string& reason) { end(item.output, reason); },
         .busy = [](std::size_t, double) {},
         .note = [](const std::string&) {},
         .stopped = [] { return false; }});
    return ends;
  }

  /// Has each call go wrong once. How many items were reported.
  std::size_t check_every_call(const std::string& kind) {
    std::vector<std::string> names;
    for (std::int64_t k = 1; k <= calls_; ++k) names.push_back(kind + "-" + std::to_string(k));
    const auto ends = make(names);
    EXPECT_EQ(ends.size(), names.size());
    std::size_t reported = 0;
    for (const auto& [name, reason] : ends) {
      EXPECT_TRUE(fs::exists(folder_ / ("faulted-" + name))) << name;
      EXPECT_EQ(fs::exists(folder_ / name), reason.empty()) << name << ": " << reason;
      if (reason.empty()) {
        if (read_all(folder_ / name) != right_) wrong_pictures_.push_back(name);
      } else {
        ++reported;
      }
    }
    return reported;
  }

  TemporaryFolder temporary_;
  fs::path folder_ = temporary_.path();
  std::string right_;
  std::int64_t calls_ = 0;
  std::vector<std::string> wrong_pictures_;
};

TEST_F(DeviceFaultsTest, AreMany) { EXPECT_GT(calls_, 60); }

TEST_F(DeviceFaultsTest, OutOfMemoryIsReported) {
  EXPECT_EQ(check_every_call("memory"), static_cast<std::size_t>(calls_));
  EXPECT_THAT(wrong_pictures_, testing::IsEmpty());
}

TEST_F(DeviceFaultsTest, StickyFaultIsRetried) {
  EXPECT_EQ(check_every_call("sticky"), 0U);
  EXPECT_THAT(wrong_pictures_, testing::IsEmpty());
}

TEST_F(DeviceFaultsTest, LostProcessIsRetried) {
  EXPECT_EQ(check_every_call("lost"), 0U);
  EXPECT_THAT(wrong_pictures_, testing::IsEmpty());
}

TEST_F(DeviceFaultsTest, HungCallIsEndedAndRetried) {
  EXPECT_EQ(check_every_call("hung"), 0U);
  EXPECT_THAT(wrong_pictures_, testing::IsEmpty());
}

TEST_F(DeviceFaultsTest, WhatIsNoNumberIsReportedOrRetried) {
  check_every_call("wrong");
  EXPECT_THAT(wrong_pictures_, testing::IsEmpty());
}

TEST_F(DeviceFaultsTest, WhatIsNoNumberIsReportedOrRetriedBehindAPoolAndInLbfgs) {
  compare_with("deep");
  check_every_call("deep");
  EXPECT_THAT(wrong_pictures_, testing::IsEmpty());
}

}  // namespace
}  // namespace impasto::batch::device_faults_test
