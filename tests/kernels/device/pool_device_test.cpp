// SPDX-License-Identifier: MIT
#include <array>
#include <gtest/gtest.h>

#include "kernels/pool/pool.hpp"
#include "tests/support/cases.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/device_array.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::kernels::pool_device_test {
namespace {

using test::DeviceArray;
using test::GuardedBuffer;

constexpr std::array kinds = {
    PoolKind{PoolMode::average, PoolRounding::up}, PoolKind{PoolMode::average, PoolRounding::down},
    PoolKind{PoolMode::max, PoolRounding::up},     PoolKind{PoolMode::max, PoolRounding::down},
    PoolKind{PoolMode::l2, PoolRounding::up},      PoolKind{PoolMode::l2, PoolRounding::down}};

/// `offset` 0 lets the kernel use vectors where the channels fill them, 1 does not.
template <class T>
GuardedBuffer<T> forward(const GuardedBuffer<T>& x, const MapSize& size, const PoolKind& kind,
                         std::int64_t offset) {
  return test::under_every_schedule([&] {
    DeviceArray<T> from(x, offset);
    DeviceArray<T> y(pooled(size, kind.rounding).count(), offset);
    IMPASTO_DEVICE::pool_forward(y.data(), from.data(), size, kind, nullptr);
    return y.values();
  });
}

/// `held` is what the gradient holds before; without accumulate it is unwritten.
template <class T>
GuardedBuffer<T> backward(
    const GuardedBuffer<T>& held, const GuardedBuffer<T>& grad_y, const GuardedBuffer<T>& x,
    const MapSize& size, const PoolKind& kind, const GradientEpilogue& epilogue,
    std::int64_t offset,
    IMPASTO_DEVICE::PoolBackwardLauncher<T> launch = &IMPASTO_DEVICE::pool_backward<T>) {
  const bool reads_x = kind.mode != PoolMode::average || epilogue.relu_mask;
  return test::under_every_schedule([&] {
    DeviceArray<T> from(grad_y, offset);
    DeviceArray<T> features(x, offset);
    DeviceArray<T> unwritten(size.count(), offset);
    DeviceArray<T> written(held, offset);
    DeviceArray<T>& grad_x = epilogue.accumulate ? written : unwritten;
    launch(grad_x.data(), from.data(), reads_x ? features.data() : nullptr, size, kind, epilogue,
           nullptr);
    return grad_x.values();
  });
}

/// Calls check(size, kind, offset) for what is small enough for the host-SIMT machine.
template <class Check>
void for_each_case(Check check) {
  for (const MapSize& size : test::map_sizes) {
    if (size.count() > 12000) continue;
    for (const PoolKind& kind : kinds) {
      for (const std::int64_t offset : {0, 1}) {
        SCOPED_TRACE(testing::Message() << kind << " " << size << ", offset " << offset);
        check(size, kind, offset);
      }
    }
  }
}

TEST(PoolDevice, ForwardMatchesTheReference) {
  test::for_each_storage_type([]<class T>() {
    for_each_case([](const MapSize& size, const PoolKind& kind, std::int64_t offset) {
      const auto x = test::gaussian<T>(size.count(), 1);
      GuardedBuffer<double> expected(pooled(size, kind.rounding).count());
      reference::pool_forward(expected.data(), widened(x).data(), size, kind);
      EXPECT_TRUE(test::is_close(forward(x, size, kind, offset), test::rounded<T>(expected),
                                 test::elementwise<T>));
    });
  });
}

TEST(PoolDevice, BackwardMatchesTheReference) {
  test::for_each_storage_type([]<class T>() {
    for_each_case([](const MapSize& size, const PoolKind& kind, std::int64_t offset) {
      // Features have many equal maxima: the zeros.
      const auto x = test::features<T>(size.count(), 2);
      const auto held = test::gaussian<T>(size.count(), 3);
      const auto grad_y = test::gaussian<T>(pooled(size, kind.rounding).count(), 4);
      const auto x_wide = widened(x);
      const auto grad_y_wide = widened(grad_y);
      for (const GradientEpilogue& epilogue : test::epilogues) {
        SCOPED_TRACE(epilogue);
        GuardedBuffer<double> expected = widened(held);
        reference::pool_backward(expected.data(), grad_y_wide.data(), x_wide.data(), size, kind,
                                 epilogue);
        EXPECT_TRUE(test::is_close(backward(held, grad_y, x, size, kind, epilogue, offset),
                                   test::rounded<T>(expected), test::elementwise<T>));
      }
    });
  });
}

// A quarter of a sum of small integers is exact in every type.
TEST(PoolDevice, IsExactOnIntegers) {
  const MapSize size{2, 5, 7, 16};
  test::for_each_storage_type([&]<class T>() {
    const auto x = test::integers<T>(size.count(), 5);
    const auto x_wide = widened(x);
    for (const PoolKind& kind : kinds) {
      if (kind.mode == PoolMode::l2) continue;  // a root
      SCOPED_TRACE(kind);
      GuardedBuffer<double> y(pooled(size, kind.rounding).count());
      reference::pool_forward(y.data(), x_wide.data(), size, kind);
      EXPECT_TRUE(test::is_equal(forward(x, size, kind, 0), y));

      const auto grad_y = test::integers<T>(static_cast<std::int64_t>(y.size()), 6);
      GuardedBuffer<double> grad_x = x_wide;
      reference::pool_backward(grad_x.data(), widened(grad_y).data(), x_wide.data(), size, kind,
                               {true, true});
      EXPECT_TRUE(test::is_equal(backward(x, grad_y, x, size, kind, {true, true}, 0), grad_x));
    }
  });
}

// Wider than a block, so that a row of windows is several of them; and taller than wide.
TEST(PoolDevice, TakesRowsOfSeveralBlocks) {
  const PoolKind kind{PoolMode::max, PoolRounding::up};
  for (const MapSize& size : {MapSize{1, 3, 61, 64}, MapSize{1, 127, 5, 7}}) {
    const auto x = test::features<float16>(size.count(), 7);
    GuardedBuffer<double> expected(pooled(size, kind.rounding).count());
    reference::pool_forward(expected.data(), widened(x).data(), size, kind);
    EXPECT_TRUE(test::is_equal(forward(x, size, kind, 1), expected));
  }
}

// Odd sides, dropped cells, several images. The bits of pool_forward and of pool_backward with the mask.
TEST(PoolDevice, NotesWhereTheMapIsPositive) {
  const auto check = []<class T>() {
    for (const MapSize& size : {MapSize{2, 5, 7, 64}, MapSize{1, 4, 6, 128}}) {
      for (const PoolRounding rounding : {PoolRounding::up, PoolRounding::down}) {
        const PoolKind kind{PoolMode::average, rounding};
        SCOPED_TRACE(testing::Message() << kind << " " << size);
        const auto x = test::features<T>(size.count(), 2);
        const auto grad_y = test::gaussian<T>(pooled(size, rounding).count(), 4);
        GuardedBuffer<T> y_values(1);
        const auto forward_and_back = [&] {
          DeviceArray<T> from(x);
          DeviceArray<T> y(pooled(size, rounding).count());
          DeviceArray<T> grad(grad_y);
          DeviceArray<T> grad_x(size.count());
          DeviceArray<unsigned char> positive(size.count() / 8);
          EXPECT_TRUE(IMPASTO_DEVICE::pool_notes<T>(y.data(), from.data(), size, kind));
          IMPASTO_DEVICE::pool_forward_noting<T>(y.data(), positive.data(), from.data(), size, kind,
                                                 nullptr);
          IMPASTO_DEVICE::pool_backward_noted<T>(grad_x.data(), grad.data(), positive.data(), size,
                                                 kind, nullptr);
          y_values = y.values();
          return grad_x.values();
        };
        EXPECT_TRUE(test::same_bits(test::under_every_schedule(forward_and_back),
                                    backward(x, grad_y, x, size, kind, {false, true}, 0)));
        EXPECT_TRUE(test::same_bits(y_values, forward(x, size, kind, 0)));
      }
    }
  };
  check.operator()<bfloat16>();
  check.operator()<float16>();
}

class PoolBackwardLadder : public testing::TestWithParam<IMPASTO_DEVICE::PoolBackwardRung> {};
INSTANTIATE_TEST_SUITE_P(Every, PoolBackwardLadder,
                         testing::ValuesIn(IMPASTO_DEVICE::pool_backward_ladder()),
                         test::rung_name<IMPASTO_DEVICE::PoolBackwardRung>);

TEST_P(PoolBackwardLadder, MatchesTheReference) {
  test::for_each_storage_type_of(GetParam(), [&]<class T>() {
    for (const MapSize& size : {MapSize{2, 5, 7, 3}, MapSize{1, 6, 3, 16}}) {
      for (const PoolKind& kind : kinds) {
        SCOPED_TRACE(testing::Message() << kind << " " << size);
        const auto x = test::features<T>(size.count(), 2);
        const auto held = test::gaussian<T>(size.count(), 3);
        const auto grad_y = test::gaussian<T>(pooled(size, kind.rounding).count(), 4);
        const GradientEpilogue epilogue{size.batch == 1, kind.rounding == PoolRounding::up};
        GuardedBuffer<double> expected = widened(held);
        reference::pool_backward(expected.data(), widened(grad_y).data(), widened(x).data(), size,
                                 kind, epilogue);
        EXPECT_TRUE(test::is_close(
            backward(held, grad_y, x, size, kind, epilogue, 0, GetParam().launch.template get<T>()),
            test::rounded<T>(expected), test::elementwise<T>));
      }
    }
  });
}

}  // namespace
}  // namespace impasto::kernels::pool_device_test
