// SPDX-License-Identifier: MIT
// The CUDA kernels behind the backend's interface, on the host-SIMT machine.
#include <gtest/gtest.h>
#include <thread>
#include <vector>

#include "host/backend/registry.hpp"
#include "host/check/check.hpp"
#include "host/engine/initial.hpp"
#include "host/engine/stylizer.hpp"
#include "simt/machine.hpp"
#include "simt/sanitizer.hpp"
#include "tests/support/toy_network.hpp"

namespace impasto::simt_test {
namespace {

using Order = simt::Schedule::Order;

class SimtBackend : public testing::TestWithParam<Precision> {
 protected:
  void TearDown() override { simt::Machine::get().set_schedule({Order::forward, 0}); }
};
INSTANTIATE_TEST_SUITE_P(Precisions, SimtBackend,
                         testing::Values(Precision::fp32, Precision::tf32, Precision::bf16,
                                         Precision::fp16),
                         [](const auto& tested) { return std::string(to_string(tested.param)); });

TEST_P(SimtBackend, AgreesWithTheReferenceOnEveryOperation) {
  const auto tested = make_backend("simt", GetParam());
  const auto reference = make_backend("reference");
  // No map of one pixel: where two values cancel, tf32 is far off in the one that is left.
  for (const auto& [map, out_channels] : {std::pair<Shape, std::int64_t>{{1, 3, 3, 5}, 7},
                                          {{2, 7, 5, 17}, 13},
                                          {{1, 13, 11, 64}, 32}}) {
    for_each_case(map, out_channels, tested->activation_type(),
                  [&](const std::string& op, const std::string& what, const OpCase& op_case) {
                    const CheckResult result = compare(op_case, *tested, *reference);
                    EXPECT_LE(result.error, result.limit) << op << " " << what;
                  });
  }
}

/// The losses of a short run from noise, and the picture it ends at.
struct Trace {
  std::vector<double> losses;
  std::vector<float> pixels;

  bool operator==(const Trace&) const = default;
};

Trace optimise(Backend& backend, int iterations) {
  static const Weights weights = test::random_weights();
  Config config = preset("coursera");
  config.objective["tv"].weight = 1;
  const Image content = test::random_image(32, 40, 1);
  const Style style{test::random_image(41, 39, 2), 1};
  const Image initial = make_initial(config, content, std::span(&style, 1));
  Session session(backend, weights, config.objective);
  Stylizer stylizer(session, config, std::span(&content, 1), std::span(&style, 1),
                    std::span(&initial, 1));
  Trace trace;
  for (int i = 0; i < iterations; ++i) {
    stylizer.step();
    trace.losses.push_back(stylizer.losses().front().total);
  }
  trace.pixels = stylizer.image().rgb;
  return trace;
}

TEST_P(SimtBackend, FollowsTheLossesOfTheCpu) {
  const bool exact = GetParam() == Precision::fp32;
  const int iterations = exact ? 10 : 4;
  const Trace expected = optimise(*make_backend("cpu", Precision::fp32), iterations);
  const Trace found = optimise(*make_backend("simt", GetParam()), iterations);
  const double limit = exact ? 1e-5 : 1e-2;
  for (std::size_t i = 0; i < expected.losses.size(); ++i) {
    EXPECT_NEAR(found.losses[i] / expected.losses[i], 1, limit) << "iteration " << i;
  }
  EXPECT_LT(found.losses.back(), found.losses.front());
}

TEST_P(SimtBackend, GivesTheSameBitsTwiceAndUnderEverySchedule) {
  if (simt::has_address_sanitizer) GTEST_SKIP() << "bits are compared in the release build";
  const int iterations = GetParam() == Precision::fp32 ? 3 : 1;
  const auto run = [&](const simt::Schedule& schedule) {
    simt::Machine::get().set_schedule(schedule);
    return optimise(*make_backend("simt", GetParam()), iterations);
  };
  const Trace first = run({Order::forward, 0});
  for (const simt::Schedule& schedule :
       {simt::Schedule{Order::forward, 0}, {Order::reverse, 0}, {Order::random, 1}}) {
    const Trace again = run(schedule);
    EXPECT_EQ(again.losses, first.losses);
    EXPECT_EQ(again.pixels, first.pixels);
  }
}

TEST(SimtDevices, EachHasItsMemory) {
  const auto second = make_backend("simt:1");
  const auto in_use = [](int device) {
    simt::Machine::set_current(device);
    const std::size_t bytes = simt::Machine::get().device_memory().bytes_in_use();
    simt::Machine::set_current(0);
    return bytes;
  };
  const std::size_t before = in_use(0);
  const std::size_t own = in_use(1);
  Buffer memory = second->allocate(1000);
  EXPECT_EQ(in_use(0), before);
  EXPECT_EQ(in_use(1), own + 1000);
  memory.reset();  // while device 0 is current
  EXPECT_EQ(in_use(1), own);
}

TEST(SimtDevices, AThreadForEachComputesWhatOneThreadDoes) {
  const Trace expected = optimise(*make_backend("simt:0", Precision::bf16), 1);
  std::vector<Trace> traces(2);
  std::vector<std::thread> threads;
  for (int device = 0; device < 2; ++device) {
    threads.emplace_back([&trace = traces[static_cast<std::size_t>(device)], device] {
      trace = optimise(*make_backend("simt", Precision::bf16, {.index = device}), 1);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Trace& trace : traces) EXPECT_EQ(trace, expected);
}

}  // namespace
}  // namespace impasto::simt_test
