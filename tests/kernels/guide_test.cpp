// SPDX-License-Identifier: MIT
#include "kernels/guide/guide.hpp"

#include <gtest/gtest.h>

#include "tests/support/cases.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/gradient_check.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::kernels::guide_test {
namespace {

using test::GuardedBuffer;
using Numbers = std::vector<double>;

TEST(Guide, ReferenceGivesTheWorkedExample) {
  // Two images of two pixels with two channels, seen through one guide.
  const MapSize size{2, 1, 2, 2};
  const GuardedBuffer<double> x{1, 2, 3, 4, 5, 6, 7, 0};
  const GuardedBuffer<double> guide{2, 0.5};
  GuardedBuffer<double> y(size.count());
  reference::guide_forward(y.data(), x.data(), guide.data(), size);
  EXPECT_TRUE(test::is_equal(y, Numbers{2, 4, 1.5, 2, 10, 12, 3.5, 0}));

  GuardedBuffer<double> grad{1, 1, 1, 1, 1, 1, 1, 1};
  reference::guide_backward(grad.data(), x.data(), x.data(), guide.data(), size, {true, true});
  EXPECT_TRUE(test::is_equal(grad, Numbers{3, 5, 2.5, 3, 11, 13, 4.5, 0}));
}

TEST(Guide, GradientMatchesCentralDifference) {
  for (const MapSize& size : {MapSize{1, 1, 2, 1}, MapSize{2, 5, 4, 3}, MapSize{1, 7, 1, 2}}) {
    SCOPED_TRACE(size);
    const auto x = test::gaussian(size.count(), 1);
    const auto guide = test::gaussian(size.pixels(), 2, 0.5, 0.5);
    const auto through = [&](const GuardedBuffer<double>& at) {
      GuardedBuffer<double> y(size.count());
      reference::guide_forward(y.data(), at.data(), guide.data(), size);
      return y;
    };
    // Half the sum of squares, whose gradient of y is y.
    const auto loss = [&](const GuardedBuffer<double>& at) {
      const GuardedBuffer<double> y = through(at);
      return test::dot(y, y) / 2;
    };
    const GuardedBuffer<double> grad_y = through(x);
    GuardedBuffer<double> grad(size.count());
    reference::guide_backward(grad.data(), grad_y.data(), x.data(), guide.data(), size, {});
    EXPECT_LT(gradient_error(loss, x, grad), 1e-7);
  }
}

TEST(Guide, CpuMatchesTheReference) {
  for (const MapSize& size : test::map_sizes) {
    SCOPED_TRACE(size);
    const auto x = test::features<float>(size.count(), 1);
    const auto guide = test::gaussian<float>(size.pixels(), 2, 0.5, 0.5);
    GuardedBuffer<double> y(size.count());
    reference::guide_forward(y.data(), widened(x).data(), widened(guide).data(), size);
    GuardedBuffer<float> found(size.count());
    cpu::guide_forward(found.data(), x.data(), guide.data(), size);
    EXPECT_TRUE(test::is_close(found, y, test::elementwise<float>));

    for (const GradientEpilogue& epilogue : test::epilogues) {
      SCOPED_TRACE(epilogue);
      const auto grad_y = test::gaussian<float>(size.count(), 3);
      const auto held = test::gaussian<float>(size.count(), 4);
      GuardedBuffer<double> grad = widened(held);
      reference::guide_backward(grad.data(), widened(grad_y).data(), widened(x).data(),
                                widened(guide).data(), size, epilogue);
      GuardedBuffer<float> found_grad = held;
      cpu::guide_backward(found_grad.data(), grad_y.data(), x.data(), guide.data(), size, epilogue);
      EXPECT_TRUE(test::is_close(found_grad, grad, test::elementwise<float>));
    }
  }
}

TEST(Guide, AWhiteGuideKeepsEveryBit) {
  const MapSize size{2, 17, 19, 16};
  const auto x = test::gaussian<float>(size.count(), 1);
  GuardedBuffer<float> guide(size.pixels());
  for (float& weight : guide) weight = 1;
  GuardedBuffer<float> y(size.count());
  cpu::guide_forward(y.data(), x.data(), guide.data(), size);
  EXPECT_TRUE(test::same_bits(y, x));
}

}  // namespace
}  // namespace impasto::kernels::guide_test
