// SPDX-License-Identifier: MIT
#include "kernels/pixel_update/pixel_update.hpp"

#include <gtest/gtest.h>

#include "tests/support/compare.hpp"
#include "tests/support/gradient_check.hpp"

namespace impasto::kernels {
namespace {

using test::GuardedBuffer;
using Numbers = std::vector<double>;

// The squares and the gradients of total_variation's worked example, times 10, onto 100. Adam's
// first step is the learning rate against the sign of the sum, into a box that ends at 8.
TEST(PixelUpdate, ReferenceGivesTheWorkedExample) {
  const GuardedBuffer<double> pixels{1, 2, 4,  //
                                     0, 5, 9};
  const GuardedBuffer<double> grad{100, 20,   -30,  //
                                   20,  -100, -100};
  AdamOptions options;
  options.beta1 = 0.5;
  options.beta2 = 0.75;
  options.epsilon = 0;
  options.highest = 8;
  GuardedBuffer<double> updated(6);
  auto m = test::zeros<double>(6);
  auto v = test::zeros<double>(6);
  std::int64_t step = 0;
  double loss = 0;
  reference::pixel_update(updated.data(), m.data(), v.data(), &step, &loss, pixels.data(),
                          grad.data(), {1, 2, 3, 1}, {0.5, 10}, options);
  EXPECT_EQ(loss, 40.5);
  EXPECT_EQ(step, 1);
  EXPECT_TRUE(test::is_equal(m, Numbers{50, -10, -30, -20, -30, -5}));
  EXPECT_TRUE(test::is_equal(v, Numbers{2500, 100, 900, 400, 900, 25}));
  EXPECT_TRUE(test::is_close(updated, Numbers{-1, 4, 6, 2, 7, 8}, {1e-12, 1e-12}));
}

// Adam's first moment is the gradient of ⟨grad, x⟩ + weight·loss(x), for gradient_scale =
// weight·2·loss_scale, but for the factor 1 − β₁.
TEST(PixelUpdate, MomentHoldsTheGradientOfTheSum) {
  const MapSize size{1, 5, 4, 3};
  constexpr double weight = 7;
  constexpr VariationScale variation{0.3, weight * 2 * 0.3};
  const auto pixels = test::gaussian(size.count(), 1);
  const auto grad = test::gaussian(size.count(), 2);
  GuardedBuffer<double> m(size.count());
  const auto loss_of = [&](const GuardedBuffer<double>& x) {
    GuardedBuffer<double> updated(size.count());
    m = test::zeros<double>(size.count());
    auto v = m;
    std::int64_t step = 0;
    double loss = 0;
    reference::pixel_update(updated.data(), m.data(), v.data(), &step, &loss, x.data(), grad.data(),
                            size, variation, {});
    return test::dot(grad, x) + weight * loss;
  };
  loss_of(pixels);
  GuardedBuffer<double> gradient = m;
  for (double& value : gradient) value /= 1 - AdamOptions{}.beta1;
  EXPECT_LT(test::gradient_error(loss_of, pixels, gradient), 1e-7);
}

}  // namespace
}  // namespace impasto::kernels
