// SPDX-License-Identifier: MIT
#include <array>
#include <gtest/gtest.h>

#include "kernels/adam/adam.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/device_array.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::kernels::adam_device_test {
namespace {

using test::DeviceArray;
using test::GuardedBuffer;

/// The optimiser's whole state; `step` counts what it has done.
template <class T>
struct State {
  GuardedBuffer<T> pixels;
  GuardedBuffer<T> m;
  GuardedBuffer<T> v;
  std::int64_t step = 0;

  explicit State(const GuardedBuffer<T>& start)
      : pixels(start),
        m(test::zeros<T>(static_cast<std::int64_t>(start.size()))),
        v(test::zeros<T>(static_cast<std::int64_t>(start.size()))) {}
};

void advance(State<double>& state, const GuardedBuffer<float>& grad, const AdamOptions& options) {
  reference::adam(state.pixels.data(), state.m.data(), state.v.data(), &state.step,
                  widened(grad).data(), static_cast<std::int64_t>(grad.size()), options);
}

/// `offset` 0 lets the kernel use vectors, 1 does not.
void advance(State<float>& state, const GuardedBuffer<float>& grad, const AdamOptions& options,
             std::int64_t offset,
             IMPASTO_DEVICE::AdamLauncher<float> launch = &IMPASTO_DEVICE::adam) {
  const State<float> before = state;
  state.pixels = test::under_every_schedule([&] {
    DeviceArray<float> pixels(before.pixels, offset);
    DeviceArray<float> m(before.m, offset);
    DeviceArray<float> v(before.v, offset);
    DeviceArray<std::int64_t> step(GuardedBuffer<std::int64_t>(1, before.step));
    DeviceArray<float> from(grad, offset);
    test::BlocksDone blocks_done;
    launch(pixels.data(), m.data(), v.data(), step.data(), from.data(),
           static_cast<std::int64_t>(grad.size()), options, blocks_done.data(), nullptr);
    state.m = m.values();
    state.v = v.values();
    state.step = step.values()[0];
    return pixels.values();
  });
}

AdamOptions options_of(AdamEpsilon form, double epsilon) {
  AdamOptions options;
  options.form = form;
  options.epsilon = epsilon;
  options.lowest = -100;
  options.highest = 100;
  return options;
}

// Observed: at most 3.1e-7 and 6.2e-7.
constexpr test::ErrorLimit limit{1e-6, 2.5e-6};

TEST(AdamDevice, FollowsTheReferenceForFiveSteps) {
  for (const std::int64_t count : {1, 2, 3, 31, 33, 1009, 4096}) {
    for (const AdamEpsilon form : {AdamEpsilon::pytorch, AdamEpsilon::tensorflow}) {
      for (const double epsilon : {1e-8, 0.1}) {
        for (const std::int64_t offset : {0, 1}) {
          SCOPED_TRACE(testing::Message() << count << " values, form " << static_cast<int>(form)
                                          << ", epsilon " << epsilon << ", offset " << offset);
          const AdamOptions options = options_of(form, epsilon);
          const auto start = test::gaussian<float>(count, 1, 0, 50);
          State<float> actual(start);
          State<double> expected(widened(start));
          for (std::uint64_t step = 0; step < 5; ++step) {
            const auto grad = test::gaussian<float>(count, 100 + step);
            advance(actual, grad, options, offset);
            advance(expected, grad, options);
          }
          EXPECT_EQ(actual.step, 5);
          EXPECT_TRUE(test::is_close(actual.m, expected.m, limit));
          EXPECT_TRUE(test::is_close(actual.v, expected.v, limit));
          EXPECT_TRUE(test::is_close(actual.pixels, expected.pixels, limit));
        }
      }
    }
  }
}

TEST(AdamDevice, StaysInTheBoxAndDoesNotHideNaN) {
  AdamOptions options = options_of(AdamEpsilon::pytorch, 1e-8);
  options.lowest = 0;
  options.highest = 255;
  State<float> state({1, 254, 128, 1});
  advance(state, {1, -1, NAN, 1}, options, 0);
  EXPECT_EQ(state.pixels[0], 0.0F);
  EXPECT_EQ(state.pixels[1], 255.0F);
  EXPECT_TRUE(std::isnan(state.pixels[2]));
  EXPECT_EQ(state.pixels[3], 0.0F);
}

TEST(AdamDevice, HasTheSameBitsForAScaledGradient) {
  const auto start = test::gaussian<float>(101, 2, 128, 60);
  const auto grad = test::gaussian<float>(101, 3, 0, 1e-3);
  auto scaled = grad;
  for (float& value : scaled) value *= 0x1p12F;
  AdamOptions options;
  options.gradient_scale = 0x1p12;
  State<float> plain(start);
  State<float> unscaled(start);
  for (int step = 0; step < 2; ++step) {
    advance(plain, grad, {}, 0);
    advance(unscaled, scaled, options, 0);
  }
  EXPECT_TRUE(test::same_bits(unscaled.pixels, plain.pixels));
  EXPECT_TRUE(test::same_bits(unscaled.m, plain.m));
  EXPECT_TRUE(test::same_bits(unscaled.v, plain.v));
}

class AdamLadder : public testing::TestWithParam<IMPASTO_DEVICE::AdamRung> {};
INSTANTIATE_TEST_SUITE_P(Every, AdamLadder, testing::ValuesIn(IMPASTO_DEVICE::adam_ladder()),
                         test::rung_name<IMPASTO_DEVICE::AdamRung>);

TEST_P(AdamLadder, MatchesTheReference) {
  for (const std::int64_t count : {7, 1009}) {
    const AdamOptions options = options_of(AdamEpsilon::pytorch, 1e-8);
    const auto start = test::gaussian<float>(count, 1, 0, 50);
    const auto grad = test::gaussian<float>(count, 2);
    State<float> actual(start);
    State<double> expected(widened(start));
    for (int step = 0; step < 2; ++step) {
      advance(actual, grad, options, count % 2, GetParam().launch.f32);
      advance(expected, grad, options);
    }
    EXPECT_EQ(actual.step, 2);
    EXPECT_TRUE(test::is_close(actual.m, expected.m, limit));
    EXPECT_TRUE(test::is_close(actual.v, expected.v, limit));
    EXPECT_TRUE(test::is_close(actual.pixels, expected.pixels, limit));
  }
}

}  // namespace
}  // namespace impasto::kernels::adam_device_test
