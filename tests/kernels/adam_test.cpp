// SPDX-License-Identifier: MIT
#include "kernels/adam/adam.hpp"

#include <array>
#include <gtest/gtest.h>

#include "tests/support/compare.hpp"
#include "tests/support/random_fill.hpp"
#include "tests/support/threads.hpp"

namespace impasto::kernels::adam_test {
namespace {

using test::GuardedBuffer;
using Numbers = std::vector<double>;

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

  void advance(const GuardedBuffer<T>& grad, const AdamOptions& options) {
    const auto count = static_cast<std::int64_t>(grad.size());
    if constexpr (std::is_same_v<T, double>) {
      reference::adam(pixels.data(), m.data(), v.data(), &step, grad.data(), count, options);
    } else {
      cpu::adam(pixels.data(), m.data(), v.data(), &step, grad.data(), count, options);
    }
  }
};

AdamOptions options_of(AdamEpsilon form, double epsilon = 1e-8) {
  AdamOptions options;
  options.form = form;
  options.epsilon = epsilon;
  return options;
}

constexpr std::array forms = {AdamEpsilon::pytorch, AdamEpsilon::tensorflow};

/// Rounding of float input and output; the reference needs next to none.
template <class T>
constexpr test::ErrorLimit limit = sizeof(T) == 4 ? test::ErrorLimit{2e-7, 4e-7}
                                                  : test::ErrorLimit{1e-12, 1e-12};

template <class T>
void first_step_is_the_learning_rate_against_the_sign() {
  for (const AdamEpsilon form : forms) {
    State<T> state({10, 10, 10});
    state.advance({3, -0.25, 0}, options_of(form));
    EXPECT_TRUE(test::is_close(state.pixels, Numbers{8, 12, 10}, {1e-6, 1e-6}));
    EXPECT_EQ(state.step, 1);
  }
}

TEST(Adam, ReferenceStepsFirstByTheLearningRateAgainstTheSign) {
  first_step_is_the_learning_rate_against_the_sign<double>();
}
TEST(Adam, CpuStepsFirstByTheLearningRateAgainstTheSign) {
  first_step_is_the_learning_rate_against_the_sign<float>();
}

template <class T>
void a_rate_that_decays_takes_shorter_steps() {
  for (const AdamEpsilon form : forms) {
    State<T> state({10});
    AdamOptions options = options_of(form);
    options.decay = {0.25, 2};
    // Against a gradient that stays the same, each step is the rate: 2, then 1, then 0.5.
    for (const double expected : {8.0, 7.0, 6.5}) {
      state.advance({3}, options);
      EXPECT_TRUE(test::is_close(state.pixels, Numbers{expected}, {1e-6, 1e-6}));
    }
  }
}

TEST(Adam, ReferenceTakesShorterStepsWithARateThatDecays) {
  a_rate_that_decays_takes_shorter_steps<double>();
}
TEST(Adam, CpuTakesShorterStepsWithARateThatDecays) {
  a_rate_that_decays_takes_shorter_steps<float>();
}

// With ε = 0.1 the two forms part ways. Learning rate 2, gradient 0.5 then −0.25:
//   t = 1: m = 0.05, v = 0.00025, m̂ = 0.5, v̂ = 0.25
//     pytorch     2·0.5/(0.5 + 0.1) = 1.6666667
//     tensorflow  2·√0.001/0.1·0.05/(√0.00025 + 0.1) = 0.2730541
//   t = 2: m = 0.02, v = 0.00031225, m̂ = 0.02/0.19, v̂ = 0.00031225/0.001999
//     pytorch     2·0.1052632/(0.3952252 + 0.1) = 0.4251121
//     tensorflow  2·√0.001999/0.19·0.02/(√0.00031225 + 0.1) = 0.0799917
template <class T>
void gives_the_worked_example() {
  const auto positions = [](AdamEpsilon form) {
    State<T> state({0});
    state.advance({T(0.5)}, options_of(form, 0.1));
    const double first = state.pixels[0];
    state.advance({T(-0.25)}, options_of(form, 0.1));
    EXPECT_TRUE(test::is_close(state.m, Numbers{0.02}, limit<T>));
    EXPECT_TRUE(test::is_close(state.v, Numbers{0.00031225}, limit<T>));
    EXPECT_EQ(state.step, 2);
    return Numbers{first, state.pixels[0] - first};
  };
  EXPECT_TRUE(test::is_close(positions(AdamEpsilon::pytorch), Numbers{-1.6666667, -0.4251121},
                             {1e-6, 1e-6}));
  EXPECT_TRUE(test::is_close(positions(AdamEpsilon::tensorflow), Numbers{-0.2730541, -0.0799917},
                             {1e-6, 1e-6}));
}

TEST(Adam, ReferenceGivesTheWorkedExampleInBothForms) { gives_the_worked_example<double>(); }
TEST(Adam, CpuGivesTheWorkedExampleInBothForms) { gives_the_worked_example<float>(); }

template <class T>
void stays_in_the_box() {
  AdamOptions options = options_of(AdamEpsilon::pytorch);
  options.lowest = 0;
  options.highest = 255;
  State<T> state({1, 254, 128});
  state.advance({1, -1, 1}, options);
  EXPECT_TRUE(test::is_close(state.pixels, Numbers{0, 255, 126}, {1e-7, 1e-7}));
  EXPECT_EQ(state.pixels[0], T(0));
  EXPECT_EQ(state.pixels[1], T(255));
}

TEST(Adam, ReferenceStaysInTheBox) { stays_in_the_box<double>(); }
TEST(Adam, CpuStaysInTheBox) { stays_in_the_box<float>(); }

template <class T>
void has_the_same_bits_for_a_scaled_gradient() {
  const auto start = test::gaussian<T>(1009, 4, 128, 60);
  const auto grad = test::gaussian<T>(1009, 5, 0, 1e-3);
  for (const double scale : {0x1p-7, 0x1p12}) {
    auto scaled = grad;
    for (T& value : scaled) value *= static_cast<T>(scale);
    AdamOptions options;
    options.gradient_scale = scale;
    State<T> plain(start);
    State<T> unscaled(start);
    for (int step = 0; step < 3; ++step) {
      plain.advance(grad, {});
      unscaled.advance(scaled, options);
    }
    EXPECT_TRUE(test::same_bits(unscaled.pixels, plain.pixels));
    EXPECT_TRUE(test::same_bits(unscaled.m, plain.m));
    EXPECT_TRUE(test::same_bits(unscaled.v, plain.v));
  }
}

TEST(Adam, ReferenceHasTheSameBitsForAScaledGradient) {
  has_the_same_bits_for_a_scaled_gradient<double>();
}
TEST(Adam, CpuHasTheSameBitsForAScaledGradient) {
  has_the_same_bits_for_a_scaled_gradient<float>();
}

// A NaN that the box turned into a black pixel would hide a diverged run.
TEST(Adam, CpuDoesNotHideNaNInTheBox) {
  AdamOptions options = options_of(AdamEpsilon::pytorch);
  options.lowest = 0;
  options.highest = 255;
  State<float> state({1, 1});
  state.advance({NAN, 1}, options);
  EXPECT_TRUE(std::isnan(state.pixels[0]));
  EXPECT_EQ(state.pixels[1], 0.0F);
}

TEST(Adam, CpuFollowsTheReferenceForTwentySteps) {
  for (const std::int64_t count : {1, 2, 3, 31, 33, 1009, 30011}) {
    for (const AdamEpsilon form : forms) {
      SCOPED_TRACE(testing::Message() << count << " values, form " << static_cast<int>(form));
      AdamOptions options = options_of(form);
      options.lowest = -100;
      options.highest = 100;
      const auto start = test::gaussian<float>(count, 1, 0, 50);
      State<float> actual(start);
      State<double> expected(widened(start));
      for (std::uint64_t step = 0; step < 20; ++step) {
        const auto grad = test::gaussian<float>(count, 100 + step, 0, 1e-3);
        actual.advance(grad, options);
        expected.advance(widened(grad), options);
      }
      EXPECT_EQ(actual.step, 20);
      EXPECT_TRUE(test::is_close(actual.m, expected.m, {1e-6, 4e-6}));
      EXPECT_TRUE(test::is_close(actual.v, expected.v, {1e-6, 4e-6}));
      EXPECT_TRUE(test::is_close(actual.pixels, expected.pixels, {1e-6, 4e-6}));
    }
  }
}

TEST(Adam, CpuContinuesFromAStoredStep) {
  State<float> whole({5, 6, 7});
  State<float> stopped({5, 6, 7});
  for (int step = 0; step < 5; ++step) whole.advance({1, 2, -3}, {});
  for (int step = 0; step < 3; ++step) stopped.advance({1, 2, -3}, {});
  State<float> resumed = stopped;
  for (int step = 3; step < 5; ++step) resumed.advance({1, 2, -3}, {});
  EXPECT_TRUE(test::same_bits(resumed.pixels, whole.pixels));
}

TEST(Adam, CpuHasTheSameBitsOnAnyNumberOfThreads) {
  const auto start = test::gaussian<float>(100003, 2);
  const auto grad = test::gaussian<float>(100003, 3);
  const auto on_threads = [&](int threads) {
    const test::ThreadCount scope(threads);
    State<float> state(start);
    for (int step = 0; step < 3; ++step) state.advance(grad, {});
    return state;
  };
  const auto one = on_threads(1);
  const auto two = on_threads(2);
  EXPECT_TRUE(test::same_bits(one.pixels, two.pixels));
  EXPECT_TRUE(test::same_bits(one.m, two.m));
  EXPECT_TRUE(test::same_bits(one.v, two.v));
}

}  // namespace
}  // namespace impasto::kernels::adam_test
