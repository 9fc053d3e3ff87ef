// SPDX-License-Identifier: MIT
#include <algorithm>
#include <gtest/gtest.h>
#include <set>

#include "host/batch/item.hpp"
#include "host/batch/item_file.hpp"
#include "host/batch/item_list.hpp"
#include "host/batch/shard.hpp"
#include "host/core/error.hpp"

namespace impasto::batch::items_test {
namespace {

TEST(Item, SurvivesBeingALineWhateverTheBytesOfItsNames) {
  const Item item{.output = "a\nb\xff.png",
                  .content = "/in/\"quoted\" \\ and é.jpg",
                  .styles = {"s\x80.png", "sample:painting"},
                  .options = {{"size", {"64"}}, {"style-layers", {"conv1_1", "conv2_1"}}}};
  const std::string line = to_line(item);
  EXPECT_EQ(std::ranges::count(line, '\n'), 1);
  const Item again = item_of_line(line);
  EXPECT_EQ(again.output, item.output);
  EXPECT_EQ(again.content, item.content);
  EXPECT_EQ(again.styles, item.styles);
  EXPECT_EQ(again.options, item.options);
}

TEST(Item, IsRefusedWhereTheLineIsDamaged) {
  for (const char* line : {"", "{}", "[1]", R"({"output":1,"content":"a","styles":[]})",
                           R"({"output":"a","content":"a"})"}) {
    EXPECT_THROW(item_of_line(line), Error) << line;
  }
}

std::vector<std::string> output_alone(const Item& item) { return {item.output}; }

TEST(ItemFile, GivesBackWhatItGotAndSaysWhatClashes) {
  ItemFile items(output_alone);
  for (int i = 0; i < 5000; ++i) {
    items.add({.output = std::to_string(i), .content = "c", .styles = {"s"}});
  }
  items.finish();
  ItemReader reader = items.read();
  for (int i = 0; i < 5000; ++i) EXPECT_EQ(reader.next()->output, std::to_string(i));
  EXPECT_FALSE(reader.next());

  ItemFile clashing(output_alone);
  for (const char* output : {"a", "b", "c", "b"}) {
    clashing.add({.output = output, .content = std::string("of ") + output, .styles = {"s"}});
  }
  try {
    clashing.finish();
    FAIL() << "two items have one output";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("'b'"), std::string::npos) << error.what();
  }
}

TEST(DrawStyles, AreDifferentOnesByTheSeedAndTheNameAlone) {
  std::set<std::vector<std::size_t>> drawn;
  for (const char* id : {"a", "b", "c", "d"}) {
    const std::vector<std::size_t> styles = draw_styles(7, id, 10, 4);
    EXPECT_EQ(std::set(styles.begin(), styles.end()).size(), 4U);
    EXPECT_LT(*std::ranges::max_element(styles), 10U);
    EXPECT_EQ(styles, draw_styles(7, id, 10, 4));
    EXPECT_NE(styles, draw_styles(8, id, 10, 4));
    drawn.insert(styles);
  }
  EXPECT_EQ(drawn.size(), 4U);
  std::vector<std::size_t> all = draw_styles(1, "a", 5, 5);
  std::ranges::sort(all);
  EXPECT_EQ(all, (std::vector<std::size_t>{0, 1, 2, 3, 4}));
}

TEST(DrawStyles, TakeEachStyleEquallyOften) {
  // Over many seeds, since one may be an odd one.
  std::vector<int> counts(5);
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    for (int i = 0; i < 1000; ++i) ++counts[draw_styles(seed, std::to_string(i), 5, 1).front()];
  }
  // Four standard deviations of a count around 4000.
  for (const int count : counts) EXPECT_NEAR(count, 4000, 4 * 57);
}

TEST(Shard, HoldsEachItemOnce) {
  for (int i = 0; i < 200; ++i) {
    const Item item{.output = std::to_string(i), .content = {}, .styles = {}};
    int holders = 0;
    for (std::uint64_t index = 0; index < 7; ++index)
      holders += Shard{index, 7}.holds(item) ? 1 : 0;
    EXPECT_EQ(holders, 1);
  }
}

}  // namespace
}  // namespace impasto::batch::items_test
