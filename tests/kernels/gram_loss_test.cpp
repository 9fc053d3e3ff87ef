// SPDX-License-Identifier: MIT
#include "kernels/gram_loss/gram_loss.hpp"

#include <array>
#include <gtest/gtest.h>

#include "kernels/style_backward/style_backward.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/gradient_check.hpp"

namespace impasto::kernels::gram_loss_test {
namespace {

using test::GuardedBuffer;

// G of (1,2), (3,4), (5,6) is (35,44,44,56); D = G/4 − target = (8.75−1, 11−2, 11−2, 14−4).
TEST(GramLoss, ReferenceGivesTheWorkedExample) {
  const GuardedBuffer<double> features{1, 2, 3, 4, 5, 6};
  const GuardedBuffer<double> target{1, 2, 2, 4};
  GuardedBuffer<double> loss(1);
  GuardedBuffer<double> matrix(4);
  reference::gram_loss(loss.data(), matrix.data(), features.data(), target.data(), {1, 1, 3, 2},
                       {0.25, 0.5, 2});
  EXPECT_TRUE(test::is_equal(loss, std::vector<double>{0.5 * (60.0625 + 81 + 81 + 100)}));
  EXPECT_TRUE(test::is_equal(matrix, std::vector<double>{15.5, 18, 18, 20}));
}

// With gradient_scale = 4·loss_scale·gram_scale, F·M is the loss's gradient.
TEST(GramLoss, MatrixCarriesTheGradient) {
  const MapSize size{1, 3, 4, 5};
  const StyleLossScale scale{0.3, 0.7, 4 * 0.3 * 0.7};
  const auto features = test::gaussian(size.count(), 1);
  const auto target = [] {
    auto values = test::gaussian(25, 2);
    for (std::size_t i = 0; i < 5; ++i) {
      for (std::size_t j = 0; j < i; ++j) values[5 * i + j] = values[5 * j + i];
    }
    return values;
  }();
  GuardedBuffer<double> matrix(25);
  const auto loss_of = [&](const GuardedBuffer<double>& x) {
    double loss = 0;
    reference::gram_loss(&loss, matrix.data(), x.data(), target.data(), size, scale);
    return loss;
  };
  loss_of(features);
  GuardedBuffer<double> gradient(size.count());
  reference::style_backward(gradient.data(), features.data(), GuardedBuffer<double>(matrix).data(),
                            size, {});
  EXPECT_LT(test::gradient_error(loss_of, features, gradient), 1e-7);
}

}  // namespace
}  // namespace impasto::kernels::gram_loss_test
