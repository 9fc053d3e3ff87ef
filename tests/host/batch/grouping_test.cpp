// SPDX-License-Identifier: MIT
#include "host/batch/grouping.hpp"

#include <gtest/gtest.h>
#include <thread>

#include "host/batch/queue.hpp"

namespace impasto::batch::grouping_test {
namespace {

Work work(std::int64_t side, const std::string& styles, const std::string& name = {}) {
  Work made{.item = {.output = name, .content = {}, .styles = {}},
            .config = {},
            .content = {},
            .styles = {},
            .initial = {},
            .configuration = {},
            .style_names = styles};
  made.content.height = made.content.width = side;
  made.content.rgb.resize(static_cast<std::size_t>(3 * side * side));
  return made;
}

std::size_t two(const Work&) { return 2; }

constexpr std::size_t plenty = 1 << 30;

TEST(Grouping, PutsTogetherWhatHasOneSizeAndTheSameStyles) {
  Grouping grouping(10, plenty, two);
  for (const char* name : {"a", "b"}) {
    grouping.put(work(8, "x", name));
    grouping.put(work(8, "y", name));
    grouping.put(work(9, "x", name));
  }
  for (int i = 0; i < 3; ++i) {
    const auto group = grouping.take({});
    ASSERT_TRUE(group);
    ASSERT_EQ(group->size(), 2U);
    EXPECT_EQ(kind_of(group->at(0)), kind_of(group->at(1)));
    EXPECT_EQ(group->at(0).item.output, "a");
    EXPECT_EQ(group->at(1).item.output, "b");
  }
}

TEST(Grouping, PrefersThePlanThatIsThereWhateverTheStyles) {
  Grouping grouping(10, plenty, two);
  for (const std::int64_t side : {8, 9}) {
    for (const char* styles : {"x", "x", "y", "y"}) grouping.put(work(side, styles));
  }
  for (const char* styles : {"x", "y"}) {
    const auto group = grouping.take(plan_of(work(9, "z")));
    EXPECT_EQ(group->front().content.width, 9);
    EXPECT_EQ(group->front().style_names, styles);
  }
  EXPECT_EQ(grouping.take(plan_of(work(9, "z")))->front().content.width, 8);
}

TEST(Grouping, HandsOutTheOldestWhereThereIsNoMoreRoom) {
  Grouping grouping(2, plenty, two);
  grouping.put(work(8, "x"));
  grouping.put(work(8, "y"));
  const auto group = grouping.take({});
  ASSERT_TRUE(group);
  EXPECT_EQ(group->size(), 1U);
  EXPECT_EQ(group->front().style_names, "x");
}

TEST(Grouping, HandsOutTheRestAtTheEnd) {
  Grouping grouping(10, plenty, two);
  grouping.put(work(8, "x"));
  grouping.finish();
  EXPECT_EQ(grouping.take({})->size(), 1U);
  EXPECT_FALSE(grouping.take({}));
}

TEST(Grouping, LetsNobodyWaitOnceItIsClosed) {
  Grouping grouping(1, plenty, two);
  grouping.put(work(8, "x"));
  std::thread waiting([&] { EXPECT_FALSE(grouping.put(work(8, "y"))); });
  grouping.close();
  waiting.join();
  EXPECT_FALSE(grouping.take({}));
}

TEST(Grouping, TakesAPictureHoweverLargeItIs) {
  Grouping grouping(10, 100, two);
  EXPECT_TRUE(grouping.put(work(8, "x")));
  EXPECT_EQ(grouping.take({})->size(), 1U);
}

TEST(Queue, KeepsItsOrderAndIsEmptiedOnceItIsClosed) {
  Queue<int> queue(2);
  std::thread producer([&] {
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(queue.push(i));
    queue.close();
    EXPECT_FALSE(queue.push(100));
  });
  for (int i = 0; i < 100; ++i) EXPECT_EQ(queue.pop(), i);
  EXPECT_FALSE(queue.pop());
  producer.join();
}

}  // namespace
}  // namespace impasto::batch::grouping_test
