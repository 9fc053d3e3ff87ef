// SPDX-License-Identifier: MIT
#include "host/batch/stream.hpp"

#include <chrono>
#include <gtest/gtest.h>
#include <omp.h>
#include <thread>

#include "host/backend/registry.hpp"
#include "tests/host/batch/faulty_backend.hpp"
#include "tests/support/toy_network.hpp"

namespace impasto::batch::stream_test {
namespace {

constexpr std::size_t deepest = 2;  // conv1_1, conv1_2, pool1

/// One picture in one style, each drawn from a number.
Work work(std::uint32_t content, std::uint32_t style, std::int64_t height = 18) {
  Config config = preset("coursera");
  config.objective["content"].layers = {{"conv1_2", 1}};
  config.objective["style"].layers = {{"conv1_2", 1}};
  config.iterations = 2;
  const Image picture = test::random_image(height, 20, content);
  return {.item = {},
          .config = config,
          .content = picture,
          .styles = {{test::random_image(16, 16, 100 + style), 1}},
          .initial = picture,
          .configuration = {},
          .style_names = std::to_string(style)};
}

std::vector<Precision> precisions_of_cpu() {
  for (const BackendEntry& entry : list_backends()) {
    if (entry.name == "cpu") return entry.precisions();
  }
  return {};
}

std::shared_ptr<const Network> open_network(Backend& backend, const Objective& objective) {
  return std::make_shared<const Network>(backend, test::random_weights(deepest), objective.pool,
                                         deepest);
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
  BusyTime busy_;
  Stream stream_{test::make_faulty_backend(make_backend("cpu"), calls_), open_network, busy_};
};

TEST(Stream, GivesAPictureTheSameBitsWhateverItMadeBefore) {
  CountedStream used;
  for (const auto& [content, style] : std::vector<std::pair<std::uint32_t, std::uint32_t>>{
           {1, 1}, {1, 2}, {1, 1}, {2, 1}, {2, 2}, {1, 2}, {3, 3}, {1, 1}}) {
    CountedStream fresh;
    EXPECT_EQ(used.compute(work(content, style)), fresh.compute(work(content, style)));
  }
}

TEST(Stream, SharesItsNetworkWithOthersThatComputeAtTheSameTime) {
  for (const Precision precision : precisions_of_cpu()) {
    SCOPED_TRACE(to_string(precision));
    BusyTime busy;
    std::shared_ptr<const Network> shared;
    std::mutex mutex;
    const OpenNetwork open_shared = [&](Backend& backend, const Objective& objective) {
      const std::lock_guard lock(mutex);
      if (shared == nullptr) shared = open_network(backend, objective);
      return shared;
    };
    const auto picture_of = [&](Stream& stream, const Work& work) {
      return stream.compute(std::span(&work, 1), [](const Progress&) { return true; })
          ->front()
          .picture.rgb;
    };
    // Pictures of different sizes, so that each thread plans while the others compute.
    constexpr std::uint32_t count = 4;
    std::vector<std::vector<std::vector<float>>> made(count);
    std::vector<std::thread> threads;
    for (std::uint32_t i = 0; i < count; ++i) {
      threads.emplace_back([&, i] {
        omp_set_num_threads(1);
        Stream stream(make_backend("cpu", precision), open_shared, busy);
        for (std::uint32_t n = 0; n < 6; ++n) {
          made[i].push_back(picture_of(stream, work(n, n, 16 + (n + i) % 6)));
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (std::uint32_t i = 0; i < count; ++i) {
      for (std::uint32_t n = 0; n < 6; ++n) {
        Stream alone(make_backend("cpu", precision), open_network, busy);
        EXPECT_EQ(made[i][n], picture_of(alone, work(n, n, 16 + (n + i) % 6)));
      }
    }
  }
}

TEST(BusyTime, IsTheMeanOverTheStreams) {
  BusyTime busy;
  EXPECT_EQ(busy.seconds(), 0);
  busy.add_stream();
  busy.add_stream();
  EXPECT_EQ(busy.seconds(), 0);
  const auto before = std::chrono::steady_clock::now();
  busy.begin();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_GE(busy.seconds(), 0.01);
  busy.begin();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  busy.end();
  busy.end();
  const std::chrono::duration<double> most = std::chrono::steady_clock::now() - before;
  const double seconds = busy.seconds();
  EXPECT_GE(seconds, 0.03);
  EXPECT_LE(seconds, most.count());
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(busy.seconds(), seconds);
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
}  // namespace impasto::batch::stream_test
