// SPDX-License-Identifier: MIT
#include "host/batch/stream.hpp"

#include <gtest/gtest.h>

#include "host/backend/registry.hpp"
#include "tests/host/batch/faulty_backend.hpp"
#include "tests/support/toy_network.hpp"

namespace impasto::batch {
namespace {

constexpr std::size_t deepest = 2;  // conv1_1, conv1_2, pool1

/// One picture in one style, each drawn from a number.
Work work(std::uint32_t content, std::uint32_t style) {
  Config config = preset("coursera");
  config.objective["content"].layers = {{"conv1_2", 1}};
  config.objective["style"].layers = {{"conv1_2", 1}};
  config.iterations = 2;
  const Image picture = test::random_image(18, 20, content);
  return {.item = {},
          .config = config,
          .content = picture,
          .styles = {{test::random_image(16, 16, 100 + style), 1}},
          .initial = picture,
          .configuration = {},
          .style_names = std::to_string(style)};
}

/// A stream that counts what it has its backend do.
class CountedStream {
 public:
  std::vector<float> compute(const Work& work) {
    calls_.count = 0;
    const auto made = stream_.compute(std::span(&work, 1), [](const Progress&) { return true; });
    return made->front().picture.rgb;
  }
  /// Calls of the last picture.
  [[nodiscard]] std::int64_t calls() const { return calls_.count; }

 private:
  test::Calls calls_;
  Stream stream_{test::make_faulty_backend(make_backend("cpu"), calls_),
                 [](Backend&, const Objective&) { return test::random_weights(deepest); }};
};

TEST(Stream, GivesAPictureTheSameBitsWhateverItMadeBefore) {
  CountedStream used;
  for (const auto& [content, style] : std::vector<std::pair<std::uint32_t, std::uint32_t>>{
           {1, 1}, {1, 2}, {1, 1}, {2, 1}, {2, 2}, {1, 2}, {3, 3}, {1, 1}}) {
    CountedStream fresh;
    EXPECT_EQ(used.compute(work(content, style)), fresh.compute(work(content, style)));
  }
}

TEST(Stream, LooksOnceAtContentsAndStyles) {
  CountedStream stream;
  stream.compute(work(1, 1));
  stream.compute(work(2, 2));
  const std::int64_t both_new = stream.calls();
  stream.compute(work(3, 2));
  const std::int64_t content_new = stream.calls();
  stream.compute(work(3, 4));
  const std::int64_t style_new = stream.calls();
  stream.compute(work(1, 4));
  const std::int64_t none_new = stream.calls();
  EXPECT_LT(none_new, content_new);
  EXPECT_LT(none_new, style_new);
  EXPECT_LT(content_new, both_new);
  EXPECT_LT(style_new, both_new);
}

}  // namespace
}  // namespace impasto::batch
