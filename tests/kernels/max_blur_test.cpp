// SPDX-License-Identifier: MIT
#include "kernels/max_blur/max_blur.hpp"

#include <array>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <vector>

#include "tests/support/cases.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/gradient_check.hpp"
#include "tests/support/random_fill.hpp"
#include "tests/support/threads.hpp"

namespace impasto::kernels::max_blur_test {
namespace {

using test::for_each_type;
using test::GuardedBuffer;
using test::numbers;
using Numbers = std::vector<double>;

template <class T>
GuardedBuffer<T> forward(const GuardedBuffer<T>& x, const MapSize& size) {
  GuardedBuffer<T> y(max_blurred(size).count());
  if constexpr (std::is_same_v<T, double>) {
    reference::max_blur_forward(y.data(), x.data(), size);
  } else {
    cpu::max_blur_forward(y.data(), x.data(), size);
  }
  return y;
}

/// `held` is what the gradient holds before; without accumulate it is unwritten.
template <class T>
GuardedBuffer<T> backward(const GuardedBuffer<T>& held, const GuardedBuffer<T>& grad_y,
                          const GuardedBuffer<T>& x, const MapSize& size,
                          const GradientEpilogue& epilogue) {
  GuardedBuffer<T> grad_x = epilogue.accumulate ? held : GuardedBuffer<T>(size.count());
  if constexpr (std::is_same_v<T, double>) {
    reference::max_blur_backward(grad_x.data(), grad_y.data(), x.data(), size, epilogue);
  } else {
    cpu::max_blur_backward(grad_x.data(), grad_y.data(), x.data(), size, epilogue);
  }
  return grad_x;
}

/// Even and odd sides, the smallest that there are, channels that fill a vector and do not, and
/// maps for several threads.
constexpr std::array sizes = {MapSize{1, 4, 4, 1},  MapSize{1, 4, 5, 1},   MapSize{2, 5, 4, 3},
                              MapSize{1, 5, 5, 16}, MapSize{1, 6, 7, 7},   MapSize{3, 7, 6, 2},
                              MapSize{1, 8, 9, 64}, MapSize{1, 31, 4, 16}, MapSize{2, 61, 37, 64}};

// All rows 0 0 4 8 20; their maxima 0 4 8 20, which a border of two reflects to 8 4 [0 4 8 20] 8 4.
const MapSize ramp_size{1, 4, 5, 1};
const Numbers ramp = {0, 0, 4, 8, 20, 0, 0, 4, 8, 20, 0, 0, 4, 8, 20, 0, 0, 4, 8, 20};

TEST(MaxBlur, ReflectsTheMaximaAtTheBorder) {
  for_each_type([]<class T>() {
    EXPECT_TRUE(test::is_equal(forward(numbers<T>(ramp), ramp_size),
                               Numbers{4, 4, 14, 4, 4, 14, 4, 4, 14}));
  });
}

TEST(MaxBlur, LeavesHalfASideAndOneMore) {
  EXPECT_EQ(max_blurred({2, 256, 257, 3}).height, 129);
  EXPECT_EQ(max_blurred({2, 256, 257, 3}).width, 129);
  EXPECT_EQ(max_blurred({1, 4, 5, 1}).height, 3);
  EXPECT_EQ(max_blurred({1, 3, 64, 1}).pixels(), 0) << "a border of two has nothing to reflect";
}

TEST(MaxBlur, GivesTheGradientToTheFirstMaximumOfEachWindow) {
  for_each_type([]<class T>() {
    // Each row of maxima has the weights 3/4, 3/2, 3/4 in all of y, each column 1/2, 1, 1, 1/2.
    const auto grad_x = backward(GuardedBuffer<T>(ramp_size.count()), numbers<T>(Numbers(9, 1)),
                                 numbers<T>(ramp), ramp_size, {});
    EXPECT_TRUE(test::is_equal(grad_x, Numbers{0.375, 0, 0.75, 0.75, 0.375,  //
                                               0.75,  0, 1.5,  1.5,  0.75,   //
                                               0.375, 0, 0.75, 0.75, 0.375,  //
                                               0,     0, 0,    0,    0}));
  });
}

TEST(MaxBlur, NanIsTheMaximumOfItsWindows) {
  for_each_type([]<class T>() {
    for (const std::size_t cell :
         {6U, 7U, 8U, 11U, 12U, 13U}) {  // each is in a window of the middle
      auto x = numbers<T>(ramp);
      x[cell] = static_cast<T>(std::numeric_limits<float>::quiet_NaN());
      EXPECT_TRUE(std::isnan(test::detail::number(forward(x, ramp_size)[4]))) << cell;
    }
  });
}

TEST(MaxBlur, AddsToWhatTheGradientHoldsAndMasks) {
  for_each_type([]<class T>() {
    const auto held = numbers<T>(Numbers(20, 16));
    const auto grad_x =
        backward(held, numbers<T>(Numbers(9, 1)), numbers<T>(ramp), ramp_size, {true, true});
    EXPECT_TRUE(test::is_equal(grad_x, Numbers{0, 0, 16.75, 16.75, 16.375,  //
                                               0, 0, 17.5,  17.5,  16.75,   //
                                               0, 0, 16.75, 16.75, 16.375,  //
                                               0, 0, 16,    16,    16}));
  });
}

TEST(MaxBlur, SharesNoMoreAndNoLessThanThereIs) {
  for (const MapSize& size : sizes) {
    const auto x = test::gaussian(size.count(), 1);
    const auto grad_y = test::gaussian(max_blurred(size).count(), 2);
    const auto grad_x = backward(x, grad_y, x, size, {});
    double given = 0;
    double taken = 0;
    for (const double value : grad_y) given += value;
    for (const double value : grad_x) taken += value;
    EXPECT_NEAR(taken, given, 1e-10) << size;
  }
}

TEST(MaxBlur, GradientMatchesCentralDifference) {
  for (const MapSize& size : {MapSize{1, 4, 4, 1}, MapSize{2, 5, 6, 3}, MapSize{1, 7, 5, 2}}) {
    SCOPED_TRACE(size);
    const auto x = test::gaussian(size.count(), 1);
    const auto loss = [&](const GuardedBuffer<double>& at) {
      const auto y = forward(at, size);
      return 0.5 * test::dot(y, y);
    };
    const auto grad_x = backward(x, forward(x, size), x, size, {});
    EXPECT_LT(gradient_error(loss, x, grad_x), 1e-7);
  }
}

template <class T>
void matches_the_reference() {
  for (const MapSize& size : sizes) {
    // Features have many equal maxima: the zeros.
    const auto x = test::features<T>(size.count(), 5);
    const auto held = test::gaussian<T>(size.count(), 6);
    const auto grad_y = test::gaussian<T>(max_blurred(size).count(), 7);
    SCOPED_TRACE(size);
    EXPECT_TRUE(test::is_close(forward(x, size), test::rounded<T>(forward(widened(x), size)),
                               test::elementwise<T>));
    for (const GradientEpilogue& epilogue : test::epilogues) {
      SCOPED_TRACE(epilogue);
      const auto expected = backward(widened(held), widened(grad_y), widened(x), size, epilogue);
      EXPECT_TRUE(test::is_close(backward(held, grad_y, x, size, epilogue),
                                 test::rounded<T>(expected), test::elementwise<T>));
    }
    // Sixteenths of small integers are exact in float, and are rounded once to 16 bits.
    const auto whole = test::integers<T>(size.count(), 8);
    const auto whole_grad = test::integers<T>(max_blurred(size).count(), 9);
    const auto whole_wide = widened(whole);
    EXPECT_TRUE(test::is_equal(forward(whole, size), test::rounded<T>(forward(whole_wide, size))));
    EXPECT_TRUE(test::is_equal(backward(whole, whole_grad, whole, size, {true, true}),
                               test::rounded<T>(backward(whole_wide, widened(whole_grad),
                                                         whole_wide, size, {true, true}))));
  }
}

TEST(MaxBlur, CpuMatchesTheReferenceInFloat) { matches_the_reference<float>(); }
TEST(MaxBlur, CpuMatchesTheReferenceInBfloat16) { matches_the_reference<bfloat16>(); }

TEST(MaxBlur, CpuHasTheSameBitsOnAnyNumberOfThreads) {
  const MapSize size{2, 61, 37, 64};
  const auto x = test::gaussian<float>(size.count(), 10);
  const auto grad_y = test::gaussian<float>(max_blurred(size).count(), 11);
  const auto on_threads = [&](int threads) {
    const test::ThreadCount scope(threads);
    return std::pair(forward(x, size), backward(x, grad_y, x, size, {true, true}));
  };
  const auto [y_1, grad_1] = on_threads(1);
  const auto [y_2, grad_2] = on_threads(2);
  EXPECT_TRUE(test::same_bits(y_1, y_2));
  EXPECT_TRUE(test::same_bits(grad_1, grad_2));
}

}  // namespace
}  // namespace impasto::kernels::max_blur_test
