// SPDX-License-Identifier: MIT
#include <array>
#include <gtest/gtest.h>

#include "kernels/pixel_update/ladder.hpp"
#include "kernels/pixel_update/pixel_update.hpp"
#include "tests/support/cases.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/device_array.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::kernels {
namespace {

using test::DeviceArray;
using test::GuardedBuffer;

struct At {
  MapSize size;
  std::int64_t offset;  ///< of every array, in values: 0 lets a rung use vectors
};

/// Odd sides, unaligned; rows of whole packs that end in a second block, unaligned and not; a
/// batch; one value.
constexpr std::array points = {At{{1, 9, 7, 3}, 1}, At{{1, 3, 44, 3}, 1}, At{{1, 11, 44, 3}, 0},
                               At{{2, 3, 4, 3}, 0}, At{{1, 1, 1, 1}, 0}};

/// The optimiser's state and the loss that was found on the way; `step` counts what was done.
template <class T>
struct State {
  GuardedBuffer<T> pixels;
  GuardedBuffer<T> m;
  GuardedBuffer<T> v;
  GuardedBuffer<T> loss;
  std::int64_t step = 0;

  State(const GuardedBuffer<T>& start, const MapSize& size)
      : pixels(start),
        m(test::zeros<T>(size.count())),
        v(test::zeros<T>(size.count())),
        loss(size.batch) {}
};

constexpr VariationScale variation{0.01, 0.3};

AdamOptions adam_options() {
  AdamOptions options;
  options.epsilon = 0.1;
  options.lowest = 0;
  options.highest = 255;
  options.gradient_scale = 2;
  return options;
}

void advance(State<double>& state, const GuardedBuffer<float>& grad, const MapSize& size) {
  GuardedBuffer<double> updated(size.count());
  reference::pixel_update(updated.data(), state.m.data(), state.v.data(), &state.step,
                          state.loss.data(), state.pixels.data(), widened(grad).data(), size,
                          variation, adam_options());
  state.pixels = updated;
}

void advance(State<float>& state, const GuardedBuffer<float>& grad, const MapSize& size,
             std::int64_t offset, decltype(IMPASTO_DEVICE::PixelUpdateRung::launch) launch) {
  const State<float> before = state;
  state.pixels = test::under_every_schedule([&] {
    DeviceArray<float> updated(size.count(), offset);
    DeviceArray<float> m(before.m, offset);
    DeviceArray<float> v(before.v, offset);
    DeviceArray<std::int64_t> step(GuardedBuffer<std::int64_t>(1, before.step));
    DeviceArray<float> loss(size.batch);
    DeviceArray<float> pixels(before.pixels, offset);
    DeviceArray<float> from(grad, offset);
    DeviceArray<double> workspace(pixel_update_workspace(size));
    launch(updated.data(), m.data(), v.data(), step.data(), loss.data(), pixels.data(), from.data(),
           size, variation, adam_options(), workspace.data(), nullptr);
    EXPECT_TRUE(test::same_bits(pixels.values(), before.pixels));
    state.m = m.values();
    state.v = v.values();
    state.loss = loss.values();
    state.step = step.values()[0];
    return updated.values();
  });
}

/// total_variation, then adam, as they ship: in place.
void advance_in_two_operations(State<float>& state, const GuardedBuffer<float>& grad,
                               const MapSize& size) {
  DeviceArray<float> pixels(state.pixels);
  DeviceArray<float> m(state.m);
  DeviceArray<float> v(state.v);
  DeviceArray<std::int64_t> step(GuardedBuffer<std::int64_t>(1, state.step));
  DeviceArray<float> loss(size.batch);
  DeviceArray<float> sum(grad);
  DeviceArray<double> sums(total_variation_workspace(size));
  DeviceArray<float> workspace(IMPASTO_DEVICE::adam_workspace);
  IMPASTO_DEVICE::total_variation(loss.data(), sum.data(), pixels.data(), size, variation,
                                  sums.data(), nullptr);
  IMPASTO_DEVICE::adam(pixels.data(), m.data(), v.data(), step.data(), sum.data(), size.count(),
                       adam_options(), workspace.data(), nullptr);
  state.pixels = pixels.values();
  state.m = m.values();
  state.v = v.values();
  state.step = step.values()[0];
}

// Observed: at most 6.2e-8 and 8.8e-8 in the loss, 1.8e-7 and 1.5e-6 in the rest.
constexpr test::ErrorLimit loss_limit{2.5e-7, 2.5e-7};
constexpr test::ErrorLimit limit{7e-7, 6e-6};

class PixelUpdateLadder : public testing::TestWithParam<IMPASTO_DEVICE::PixelUpdateRung> {};
INSTANTIATE_TEST_SUITE_P(Every, PixelUpdateLadder,
                         testing::ValuesIn(IMPASTO_DEVICE::pixel_update_ladder()),
                         test::rung_name<IMPASTO_DEVICE::PixelUpdateRung>);

TEST_P(PixelUpdateLadder, FollowsTheReferenceWithTheBitsOfTheTwoOperations) {
  for (const auto& [size, offset] : points) {
    SCOPED_TRACE(testing::Message() << size << ", offset " << offset);
    const auto start = test::gaussian<float>(size.count(), 1, 128, 90);
    State<float> actual(start, size);
    State<float> apart(start, size);
    State<double> expected(widened(start), size);
    for (std::uint64_t step = 0; step < 2; ++step) {
      const auto grad = test::gaussian<float>(size.count(), 100 + step);
      advance(actual, grad, size, offset, GetParam().launch);
      advance_in_two_operations(apart, grad, size);
      advance(expected, grad, size);
      EXPECT_TRUE(test::is_close(actual.loss, expected.loss, loss_limit));
      EXPECT_TRUE(test::is_close(actual.m, expected.m, limit));
      EXPECT_TRUE(test::is_close(actual.v, expected.v, limit));
      EXPECT_TRUE(test::is_close(actual.pixels, expected.pixels, limit));
      EXPECT_TRUE(test::same_bits(actual.m, apart.m));
      EXPECT_TRUE(test::same_bits(actual.v, apart.v));
      EXPECT_TRUE(test::same_bits(actual.pixels, apart.pixels));
      EXPECT_EQ(actual.step, expected.step);
    }
  }
}

TEST(PixelUpdateDevice, IsExactOnIntegersAsItShips) {
  const MapSize size{2, 9, 12, 3};
  const auto start = test::integers<float>(size.count(), 4);
  const auto grad = test::integers<float>(size.count(), 5);
  AdamOptions options;
  options.beta1 = 0.5;
  options.beta2 = 0.75;
  DeviceArray<float> updated(size.count());
  DeviceArray<float> m(test::zeros<float>(size.count()));
  DeviceArray<float> v(test::zeros<float>(size.count()));
  DeviceArray<std::int64_t> step(GuardedBuffer<std::int64_t>(1, 0));
  DeviceArray<float> loss(size.batch);
  DeviceArray<float> pixels(start);
  DeviceArray<float> from(grad);
  DeviceArray<double> workspace(pixel_update_workspace(size));
  IMPASTO_DEVICE::pixel_update(updated.data(), m.data(), v.data(), step.data(), loss.data(),
                               pixels.data(), from.data(), size, {0.5, 2}, options,
                               workspace.data(), nullptr);
  GuardedBuffer<double> moved(size.count());
  auto wanted_m = test::zeros<double>(size.count());
  auto wanted_v = test::zeros<double>(size.count());
  GuardedBuffer<double> wanted_loss(size.batch);
  std::int64_t steps = 0;
  reference::pixel_update(moved.data(), wanted_m.data(), wanted_v.data(), &steps,
                          wanted_loss.data(), widened(start).data(), widened(grad).data(), size,
                          {0.5, 2}, options);
  EXPECT_TRUE(test::is_equal(m.values(), wanted_m));
  EXPECT_TRUE(test::is_equal(v.values(), wanted_v));
  EXPECT_TRUE(test::is_equal(loss.values(), wanted_loss));
  EXPECT_TRUE(test::same_bits(pixels.values(), start));
}

TEST(PixelUpdateDevice, DoesNotHideNaN) {
  const MapSize size{1, 2, 4, 3};
  const auto start = test::gaussian<float>(size.count(), 6, 128, 60);
  auto grad = test::gaussian<float>(size.count(), 7);
  grad[5] = NAN;
  State<float> state(start, size);
  advance(state, grad, size, 0, &IMPASTO_DEVICE::pixel_update);
  for (std::size_t i = 0; i < grad.size(); ++i) EXPECT_EQ(std::isnan(state.pixels[i]), i == 5);
}

}  // namespace
}  // namespace impasto::kernels
