// SPDX-License-Identifier: MIT
#include "kernels/crop/crop.hpp"

#include <gtest/gtest.h>

#include "tests/support/cases.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/crop_cases.hpp"
#include "tests/support/gradient_check.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::kernels::crop_test {
namespace {

using test::GuardedBuffer;
using Numbers = std::vector<double>;

TEST(Crop, ReferenceGivesTheWorkedExample) {
  // Two images of 2×3 pixels; of each the last two of the second row.
  const MapSize whole{2, 2, 3, 1};
  const MapSize part{2, 1, 2, 1};
  const GuardedBuffer<double> x{1, 2, 3, 4, 5, 0, 7, 8, 9, 10, 11, 12};
  GuardedBuffer<double> y(part.count());
  reference::crop_forward(y.data(), x.data(), part, whole, {1, 1});
  EXPECT_TRUE(test::is_equal(y, Numbers{5, 0, 11, 12}));

  GuardedBuffer<double> grad{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  const GuardedBuffer<double> grad_y{2, 3, 4, 5};
  reference::crop_backward(grad.data(), grad_y.data(), x.data(), part, whole, {1, 1}, {true, true});
  EXPECT_TRUE(test::is_equal(grad, Numbers{1, 1, 1, 1, 3, 0, 1, 1, 1, 1, 5, 6}));
  reference::crop_backward(grad.data(), grad_y.data(), x.data(), part, whole, {1, 1}, {});
  EXPECT_TRUE(test::is_equal(grad, Numbers{0, 0, 0, 0, 2, 3, 0, 0, 0, 0, 4, 5}));
}

TEST(Crop, GradientMatchesCentralDifference) {
  for (const test::CropCase& one : test::crop_cases) {
    SCOPED_TRACE(one.part);
    if (one.whole.count() > 1000) continue;
    const auto x = test::gaussian(one.whole.count(), 1);
    const auto through = [&](const GuardedBuffer<double>& at) {
      GuardedBuffer<double> y(one.part.count());
      reference::crop_forward(y.data(), at.data(), one.part, one.whole, one.corner);
      return y;
    };
    // Half the sum of squares, whose gradient of y is y.
    const auto loss = [&](const GuardedBuffer<double>& at) {
      const GuardedBuffer<double> y = through(at);
      return test::dot(y, y) / 2;
    };
    GuardedBuffer<double> grad(one.whole.count());
    reference::crop_backward(grad.data(), through(x).data(), x.data(), one.part, one.whole,
                             one.corner, {});
    EXPECT_LT(gradient_error(loss, x, grad), 1e-7);
  }
}

TEST(Crop, CpuMatchesTheReference) {
  for (const test::CropCase& one : test::crop_cases) {
    SCOPED_TRACE(one.part);
    const auto x = test::features<float>(one.whole.count(), 1);
    GuardedBuffer<double> y(one.part.count());
    reference::crop_forward(y.data(), widened(x).data(), one.part, one.whole, one.corner);
    GuardedBuffer<float> found(one.part.count());
    cpu::crop_forward(found.data(), x.data(), one.part, one.whole, one.corner);
    EXPECT_TRUE(test::is_equal(found, y));

    for (const GradientEpilogue& epilogue : test::epilogues) {
      SCOPED_TRACE(epilogue);
      const auto grad_y = test::gaussian<float>(one.part.count(), 3);
      const auto held = test::gaussian<float>(one.whole.count(), 4);
      GuardedBuffer<double> grad = widened(held);
      reference::crop_backward(grad.data(), widened(grad_y).data(), widened(x).data(), one.part,
                               one.whole, one.corner, epilogue);
      GuardedBuffer<float> unwritten(one.whole.count());
      GuardedBuffer<float> written = held;
      GuardedBuffer<float>& to = epilogue.accumulate ? written : unwritten;
      cpu::crop_backward(to.data(), grad_y.data(), x.data(), one.part, one.whole, one.corner,
                         epilogue);
      EXPECT_TRUE(test::is_close(to, grad, test::elementwise<float>));
    }
  }
}

}  // namespace
}  // namespace impasto::kernels::crop_test
