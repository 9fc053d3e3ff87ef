// SPDX-License-Identifier: MIT
#include "kernels/pool/pool.hpp"

#include <array>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>

#include "kernels/common/bfloat16.hpp"
#include "tests/support/cases.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/gradient_check.hpp"
#include "tests/support/guarded_buffer.hpp"
#include "tests/support/random_fill.hpp"
#include "tests/support/threads.hpp"

namespace impasto::kernels::pool_test {
namespace {

using test::for_each_type;
using test::GuardedBuffer;
using test::numbers;
using Numbers = std::vector<double>;

constexpr PoolKind average_up{PoolMode::average, PoolRounding::up};
constexpr PoolKind average_down{PoolMode::average, PoolRounding::down};
constexpr PoolKind max_up{PoolMode::max, PoolRounding::up};
constexpr PoolKind max_down{PoolMode::max, PoolRounding::down};
constexpr PoolKind l2_up{PoolMode::l2, PoolRounding::up};
constexpr PoolKind l2_down{PoolMode::l2, PoolRounding::down};
constexpr std::array kinds = {average_up, average_down, max_up, max_down, l2_up, l2_down};

template <class T>
GuardedBuffer<T> forward(const GuardedBuffer<T>& x, const MapSize& size, const PoolKind& kind) {
  GuardedBuffer<T> y(pooled(size, kind.rounding).count());
  if constexpr (std::is_same_v<T, double>) {
    reference::pool_forward(y.data(), x.data(), size, kind);
  } else {
    cpu::pool_forward(y.data(), x.data(), size, kind);
  }
  return y;
}

/// `held` is what the gradient holds before; without accumulate it starts as NaN.
template <class T>
GuardedBuffer<T> backward(const GuardedBuffer<T>& held, const GuardedBuffer<T>& grad_y,
                          const GuardedBuffer<T>& x, const MapSize& size, const PoolKind& kind,
                          const GradientEpilogue& epilogue) {
  GuardedBuffer<T> grad_x = epilogue.accumulate ? held : GuardedBuffer<T>(size.count());
  if constexpr (std::is_same_v<T, double>) {
    reference::pool_backward(grad_x.data(), grad_y.data(), x.data(), size, kind, epilogue);
  } else {
    cpu::pool_backward(grad_x.data(), grad_y.data(), x.data(), size, kind, epilogue);
  }
  return grad_x;
}

// One channel, 3 rows of 5:   1 2 3 4 5      windows up: three rows of half and full ones
//                             6 7 8 9 10     windows down: 1 2 6 7 and 3 4 8 9
//                             5 4 3 2 1
const MapSize small{1, 3, 5, 1};
const Numbers small_x = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 5, 4, 3, 2, 1};

TEST(Pool, AveragesTheCellsAWindowHas) {
  for_each_type([]<class T>() {
    const auto x = numbers<T>(small_x);
    EXPECT_TRUE(test::is_equal(forward(x, small, average_up), Numbers{4, 6, 7.5, 4.5, 2.5, 1}));
    EXPECT_TRUE(test::is_equal(forward(x, small, average_down), Numbers{4, 6}));
  });
}

TEST(Pool, TakesTheLargestCellAWindowHas) {
  for_each_type([]<class T>() {
    const auto x = numbers<T>(small_x);
    EXPECT_TRUE(test::is_equal(forward(x, small, max_up), Numbers{7, 9, 10, 5, 3, 1}));
    EXPECT_TRUE(test::is_equal(forward(x, small, max_down), Numbers{7, 9}));
  });
}

TEST(Pool, TakesTheRootOfTheSumOfTheSquaresThatAWindowHas) {
  for_each_type([]<class T>() {
    // Full, half, half and a quarter of a window.
    const MapSize size{1, 3, 3, 1};
    const auto x = numbers<T>({1, 2, 3,  //
                               4, 2, 4,  //
                               5, 12, -7});
    EXPECT_TRUE(test::is_equal(forward(x, size, l2_up), Numbers{5, 5, 13, 7}));
    EXPECT_TRUE(test::is_equal(forward(x, size, l2_down), Numbers{5}));
    EXPECT_TRUE(test::is_equal(
        backward(GuardedBuffer<T>(9), numbers<T>({5, 10, 13, 2}), x, size, l2_up, {}),
        Numbers{1, 2, 6,  //
                4, 2, 8,  //
                5, 12, -2}));
  });
}

TEST(Pool, GradientOfARootOfZeroIsZero) {
  for_each_type([]<class T>() {
    const auto nothing = numbers<T>({0, 0, 0, 0});
    EXPECT_TRUE(test::is_equal(
        backward(GuardedBuffer<T>(4), numbers<T>({3}), nothing, {1, 2, 2, 1}, l2_up, {}),
        Numbers{0, 0, 0, 0}));
  });
}

TEST(Pool, MaximumOfNegativeNumbersIsNegative) {
  for_each_type([]<class T>() {
    const auto x = numbers<T>({-4, -2, -3, -1, -5, -6});
    EXPECT_TRUE(test::is_equal(forward(x, {1, 2, 3, 1}, max_up), Numbers{-1, -3}));
  });
}

TEST(Pool, GradientOfAverageIsSharedByTheCellsOfAWindow) {
  for_each_type([]<class T>() {
    const auto x = numbers<T>(small_x);
    const auto nothing = GuardedBuffer<T>(small.count());
    EXPECT_TRUE(
        test::is_equal(backward(nothing, numbers<T>({4, 8, 2, 6, 10, 3}), x, small, average_up, {}),
                       Numbers{1, 1, 2, 2, 1, 1, 1, 2, 2, 1, 3, 3, 5, 5, 3}));
  });
}

TEST(Pool, CellsThatNoWindowCoversGetNoGradient) {
  for_each_type([]<class T>() {
    const auto x = numbers<T>(small_x);
    const auto nothing = GuardedBuffer<T>(small.count());
    const auto grad_y = numbers<T>({4, 8});
    EXPECT_TRUE(test::is_equal(backward(nothing, grad_y, x, small, average_down, {}),
                               Numbers{1, 1, 2, 2, 0, 1, 1, 2, 2, 0, 0, 0, 0, 0, 0}));
    EXPECT_TRUE(test::is_equal(backward(nothing, grad_y, x, small, max_down, {}),
                               Numbers{0, 0, 0, 0, 0, 0, 4, 0, 8, 0, 0, 0, 0, 0, 0}));
  });
}

TEST(Pool, CellsThatNoWindowCoversKeepWhatTheyHoldAndAreMasked) {
  for_each_type([]<class T>() {
    auto x = numbers<T>(small_x);
    x[4] = T{};   // the dropped cell of the first row
    x[14] = T{};  // the corner
    const auto held = numbers<T>(Numbers(15, 16));
    const auto grad_y = numbers<T>({4, 8});
    EXPECT_TRUE(
        test::is_equal(backward(held, grad_y, x, small, average_down, {true, false}),
                       Numbers{17, 17, 18, 18, 16, 17, 17, 18, 18, 16, 16, 16, 16, 16, 16}));
    EXPECT_TRUE(test::is_equal(backward(held, grad_y, x, small, average_down, {true, true}),
                               Numbers{17, 17, 18, 18, 0, 17, 17, 18, 18, 16, 16, 16, 16, 16, 0}));
  });
}

TEST(Pool, GradientOfMaxGoesToTheFirstMaximum) {
  for_each_type([]<class T>() {
    const MapSize size{1, 2, 6, 1};
    //                             all equal | the right column | the diagonal
    const auto x = numbers<T>({3, 3, 1, 2, 0, 5,  //
                               3, 3, 0, 2, 5, 4});
    EXPECT_TRUE(
        test::is_equal(backward(GuardedBuffer<T>(12), numbers<T>({1, 2, 4}), x, size, max_up, {}),
                       Numbers{1, 0, 0, 2, 0, 4,  //
                               0, 0, 0, 0, 0, 0}));
  });
}

TEST(Pool, GradientOfMaxInHalfAWindowGoesToTheFirstMaximum) {
  for_each_type([]<class T>() {
    EXPECT_TRUE(test::is_equal(backward(GuardedBuffer<T>(2), numbers<T>({7}), numbers<T>({2, 2}),
                                        {1, 1, 2, 1}, max_up, {}),
                               Numbers{7, 0}));
    EXPECT_TRUE(test::is_equal(backward(GuardedBuffer<T>(2), numbers<T>({7}), numbers<T>({1, 2}),
                                        {1, 2, 1, 1}, max_up, {}),
                               Numbers{0, 7}));
  });
}

// One window for many channels, all with a NaN in the same cell.
TEST(Pool, NanIsTheMaximumOfItsWindow) {
  for_each_type([]<class T>() {
    const MapSize size{1, 2, 2, 37};
    const auto C = static_cast<std::size_t>(size.channels);
    for (std::size_t cell = 0; cell < 4; ++cell) {
      SCOPED_TRACE(cell);
      auto x = GuardedBuffer<T>(size.count());
      for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<T>(static_cast<float>(i % 7));
      for (std::size_t i = cell * C; i < (cell + 1) * C; ++i) {
        x[i] = static_cast<T>(std::numeric_limits<float>::quiet_NaN());
      }
      for (const T value : forward(x, size, max_up)) {
        EXPECT_TRUE(std::isnan(test::detail::number(value)));
      }
    }
  });
}

TEST(Pool, OnePixelRoundedDownLeavesNothingToPool) {
  for_each_type([]<class T>() {
    const MapSize size{1, 1, 1, 3};
    const auto x = numbers<T>({1, 2, 3});
    EXPECT_EQ(forward(x, size, average_down).size(), 0U);
    EXPECT_TRUE(
        test::is_equal(backward(x, GuardedBuffer<T>(0), x, size, max_down, {}), Numbers{0, 0, 0}));
  });
}

TEST(Pool, GradientMatchesCentralDifference) {
  for (const PoolKind& kind : kinds) {
    for (const MapSize& size : {MapSize{1, 2, 2, 1}, MapSize{2, 5, 6, 3}, MapSize{1, 7, 3, 4}}) {
      SCOPED_TRACE(testing::Message() << kind << " " << size);
      const auto x = test::gaussian(size.count(), 1);
      const auto loss = [&](const GuardedBuffer<double>& at) {
        const auto y = forward(at, size, kind);
        return 0.5 * test::dot(y, y);
      };
      const auto grad_x = backward(x, forward(x, size, kind), x, size, kind, {});
      EXPECT_LT(gradient_error(loss, x, grad_x), 1e-7);
    }
  }
}

TEST(Pool, GradientThroughReluMatchesCentralDifference) {
  const MapSize size{1, 5, 6, 3};
  auto z = test::gaussian(size.count(), 2);
  // Away from the kink, so that no step of 1e-5 crosses it.
  for (double& value : z) value += std::copysign(1e-2, value);
  const auto relu = [](GuardedBuffer<double> values) {
    for (double& value : values) value = std::max(value, 0.0);
    return values;
  };
  for (const PoolKind& kind : kinds) {
    SCOPED_TRACE(kind);
    const auto loss = [&](const GuardedBuffer<double>& at) {
      const auto y = forward(relu(at), size, kind);
      return 0.5 * test::dot(y, y);
    };
    const auto x = relu(z);
    const auto grad_z = backward(x, forward(x, size, kind), x, size, kind, {false, true});
    EXPECT_LT(gradient_error(loss, z, grad_z), 1e-7);
  }
}

template <class T>
void forward_matches_the_reference() {
  for (const MapSize& size : test::map_sizes) {
    const auto x = test::gaussian<T>(size.count(), 3);
    const auto whole = test::integers<T>(size.count(), 4);
    const auto x_wide = widened(x);
    const auto whole_wide = widened(whole);
    for (const PoolKind& kind : kinds) {
      SCOPED_TRACE(testing::Message() << kind << " " << size);
      EXPECT_TRUE(test::is_close(forward(x, size, kind),
                                 test::rounded<T>(forward(x_wide, size, kind)),
                                 test::elementwise<T>));
      if (kind.mode == PoolMode::l2) continue;  // a root
      // A quarter of a sum of small integers is a float and a bfloat16.
      EXPECT_TRUE(test::is_equal(forward(whole, size, kind), forward(whole_wide, size, kind)));
    }
  }
}

TEST(Pool, CpuForwardMatchesTheReferenceInFloat) { forward_matches_the_reference<float>(); }
TEST(Pool, CpuForwardMatchesTheReferenceInBfloat16) { forward_matches_the_reference<bfloat16>(); }

template <class T>
void backward_matches_the_reference() {
  for (const MapSize& size : test::map_sizes) {
    // Features have many equal maxima: the zeros.
    const auto x = test::features<T>(size.count(), 5);
    const auto held = test::gaussian<T>(size.count(), 6);
    const auto x_wide = widened(x);
    const auto held_wide = widened(held);
    for (const PoolKind& kind : kinds) {
      const auto grad_y = test::gaussian<T>(pooled(size, kind.rounding).count(), 7);
      const auto grad_y_wide = widened(grad_y);
      for (const GradientEpilogue& epilogue : test::epilogues) {
        SCOPED_TRACE(testing::Message() << kind << " " << size << ", " << epilogue);
        const auto expected = backward(held_wide, grad_y_wide, x_wide, size, kind, epilogue);
        EXPECT_TRUE(test::is_close(backward(held, grad_y, x, size, kind, epilogue),
                                   test::rounded<T>(expected), test::elementwise<T>));
      }
    }
  }
}

TEST(Pool, CpuBackwardMatchesTheReferenceInFloat) { backward_matches_the_reference<float>(); }
TEST(Pool, CpuBackwardMatchesTheReferenceInBfloat16) { backward_matches_the_reference<bfloat16>(); }

template <class T>
void backward_is_exact_on_integers() {
  for (const MapSize& size : test::map_sizes) {
    const auto x = test::integers<T>(size.count(), 8);
    const auto x_wide = widened(x);
    for (const PoolKind& kind : kinds) {
      if (kind.mode == PoolMode::l2) continue;
      SCOPED_TRACE(testing::Message() << kind << " " << size);
      const auto grad_y = test::integers<T>(pooled(size, kind.rounding).count(), 9);
      const GradientEpilogue all{true, true};
      EXPECT_TRUE(test::is_equal(backward(x, grad_y, x, size, kind, all),
                                 backward(x_wide, widened(grad_y), x_wide, size, kind, all)));
    }
  }
}

TEST(Pool, CpuBackwardIsExactOnIntegersInFloat) { backward_is_exact_on_integers<float>(); }
TEST(Pool, CpuBackwardIsExactOnIntegersInBfloat16) { backward_is_exact_on_integers<bfloat16>(); }

TEST(Pool, CpuHasTheSameBitsOnAnyNumberOfThreads) {
  const MapSize size{2, 61, 37, 64};
  const auto x = test::gaussian<float>(size.count(), 10);
  for (const PoolKind& kind : kinds) {
    SCOPED_TRACE(kind);
    const auto grad_y = test::gaussian<float>(pooled(size, kind.rounding).count(), 11);
    const auto on_threads = [&](int threads) {
      const test::ThreadCount scope(threads);
      return std::pair(forward(x, size, kind), backward(x, grad_y, x, size, kind, {true, true}));
    };
    const auto [y_1, grad_1] = on_threads(1);
    const auto [y_2, grad_2] = on_threads(2);
    EXPECT_TRUE(test::same_bits(y_1, y_2));
    EXPECT_TRUE(test::same_bits(grad_1, grad_2));
  }
}

}  // namespace
}  // namespace impasto::kernels::pool_test
