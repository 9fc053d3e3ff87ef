// SPDX-License-Identifier: MIT
#include "host/batch/supervisor.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>
#include <sys/prctl.h>
#include <unistd.h>

#include "tests/temporary_folder.hpp"

namespace impasto::batch::supervisor_test {
namespace {

namespace fs = std::filesystem;

/// A supervisor over workers that make an item by adding a line to its file.
class SupervisorTest : public testing::Test {
 protected:
  /// What a worker does with the items that it gets, in a process of its own.
  using Work = std::function<void(Link& link)>;

  void supervise_over(const std::vector<std::string>& names, const Work& work) {
    std::size_t given = 0;
    supervise(
        {.devices = devices_,
         .at_once = 64,
         .next = [&]() -> std::optional<Item> {
           if (given == names.size()) return std::nullopt;
           return Item{.output = names[given++], .content = "toy", .styles = {"toy"}};
         },
         .start =
             [&](const std::string&, const Link& link, bool one_by_one) {
               started_.push_back(one_by_one);
               const pid_t process = ::fork();
               if (process != 0) return process;
               ::prctl(PR_SET_PDEATHSIG, SIGKILL);
               Link own(FileDescriptor(::dup(link.descriptor())));
               work(own);
               ::_exit(0);
             },
         .done = [&](const Item& item, const Json&) { ++ended_[item.output]; },
         .failed = [](const Item& item, const Json&) { ADD_FAILURE() << item.output; },
         .finished =
             [&](const Item& item) {
               const bool finished = fs::exists(folder_ / item.output);
               if (finished) ++ended_[item.output];
               return finished;
             },
         .give_up = [&](const Item& item, const std::string&) { given_up_.push_back(item.output); },
         .busy = [](std::size_t, double) {},
         .note = [](const std::string&) {},
         .stopped = [] { return false; }});
  }

  std::optional<Item> next(Link& link) {
    while (!link.ended()) {
      if (const auto message = link.receive(100)) {
        return item_of_line(message->at("item").get<std::string>());
      }
    }
    return std::nullopt;
  }

  static void tell(Link& link, const char* event, const Item& item) {
    link.send({{"event", event}, {"item", stable_hash(item.output)}, {"record", Json::object()}});
  }

  /// Makes an item, all but the word of it. Samples leave no file.
  void make(const Item& item) const {
    if (!item.output.empty()) std::ofstream(folder_ / item.output, std::ios::app) << "made\n";
  }

  [[nodiscard]] bool made_once(const std::string& name) const {
    return fs::exists(folder_ / name) && fs::file_size(folder_ / name) == 5;
  }

  std::vector<std::string> devices_ = {"toy"};
  TemporaryFolder temporary_;
  fs::path folder_ = temporary_.path();
  std::vector<bool> started_;         ///< the workers; whether one by one
  std::map<std::string, int> ended_;  ///< items
  std::vector<std::string> given_up_;
};

TEST_F(SupervisorTest, MakesNothingAgainThatALostWorkerHadFinished) {
  supervise_over({"a", "b", "c"}, [&](Link& link) {
    while (const auto item = next(link)) {
      tell(link, message::begun, *item);
      const bool first = !fs::exists(folder_ / "lost");
      make(*item);
      if (first && item->output == "b") {
        std::ofstream(folder_ / "lost") << "once\n";
        ::_exit(1);  // with no word of b
      }
      tell(link, message::done, *item);
    }
  });
  for (const char* name : {"a", "b", "c"}) {
    EXPECT_TRUE(made_once(name)) << name;
    EXPECT_EQ(ended_[name], 1) << name;
  }
  EXPECT_THAT(given_up_, testing::IsEmpty());
}

TEST_F(SupervisorTest, SpreadsFewItemsOverAllDevices) {
  devices_ = {"one", "two", "three"};
  supervise_over({"a", "b", "c", "d", "e"}, [&](Link& link) {
    std::string made;
    while (const auto item = next(link)) {
      made += item->output;
      make(*item);
      tell(link, message::done, *item);
    }
    std::ofstream(folder_ / ("by-" + made)) << "made\n";
  });
  for (const char* items : {"ad", "be", "c"}) {
    EXPECT_TRUE(fs::exists(folder_ / (std::string("by-") + items))) << items;
  }
}

TEST_F(SupervisorTest, MakesWhatALostWorkerHadBegunOneByOneInOneProcess) {
  const std::vector<std::string> names = {"a", "b", "c", "d", "e"};
  supervise_over(names, [&](Link& link) {
    std::vector<Item> begun;
    const bool lose = !fs::exists(folder_ / "lost");
    while (const auto item = next(link)) {
      tell(link, message::begun, *item);
      begun.push_back(*item);
      if (lose && begun.size() == names.size()) {
        std::ofstream(folder_ / "lost") << "once\n";
        ::_exit(1);
      }
      if (lose) continue;
      make(*item);
      tell(link, message::done, *item);
    }
  });
  for (const std::string& name : names) EXPECT_TRUE(made_once(name)) << name;
  EXPECT_THAT(given_up_, testing::IsEmpty());
  // The one that was lost, the sample, and one for all five.
  EXPECT_THAT(started_, testing::ElementsAre(false, true, true));
}

TEST_F(SupervisorTest, BlamesOnlyTheItemThatALostWorkerHeldAlone) {
  // The first worker is lost with three items; after it every one that gets b.
  const auto losses = [&] {
    return fs::exists(folder_ / "losses") ? fs::file_size(folder_ / "losses") : 0;
  };
  const auto lose = [&] {
    std::ofstream(folder_ / "losses", std::ios::app) << 'x';
    ::_exit(1);
  };
  supervise_over({"a", "b", "c"}, [&](Link& link) {
    const bool first = losses() == 0;
    for (int held = 1; const auto item = next(link); ++held) {
      tell(link, message::begun, *item);
      if (first && held == 3) lose();
      if (first) continue;
      if (item->output == "b") lose();
      make(*item);
      tell(link, message::done, *item);
    }
  });
  EXPECT_EQ(losses(), 3U);
  EXPECT_THAT(given_up_, testing::ElementsAre("b"));
  for (const char* name : {"a", "c"}) EXPECT_TRUE(made_once(name)) << name;
}

TEST(Link, BringsWhatTheOtherEndSentBeforeItWasClosedWithMessagesUnread) {
  auto [here, there] = Link::make();
  here.send({{"event", "never read"}});
  {
    const Link closed = std::move(there);
    closed.send({{"event", "last"}});
  }
  const auto message = here.receive(1000);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->at("event"), "last");
  EXPECT_FALSE(here.receive(1000));
  EXPECT_TRUE(here.ended());
}

}  // namespace
}  // namespace impasto::batch::supervisor_test
