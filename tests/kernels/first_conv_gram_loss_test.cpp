// SPDX-License-Identifier: MIT
#include "kernels/first_conv_gram_loss/first_conv_gram_loss.hpp"

#include <array>
#include <gtest/gtest.h>
#include <vector>

namespace impasto::kernels::first_conv_gram_loss_test {
namespace {

// A pixel of red 2 and two channels, of which the second would be negative: only the middle tap lies in
// the picture.
TEST(FirstConvGramLoss, OfAPixelIsWhatTheFormulasSay) {
  const std::array<double, 3> pixels = {2, 0, 0};
  std::vector<double> weight(2 * 27);
  weight[4 * 3] = 3;
  weight[27 + 4 * 3] = -3;
  const std::array<double, 2> bias = {1, 1};
  const std::array<double, 4> target = {1, 0, 0, 2};
  std::array<double, 2> y{};
  std::array<double, 4> matrix{};
  double loss = 0;
  // y = (1 + 3·(2 − 1), max(0, 1 − 3·(2 − 1))) = (4, 0);  G = (16, 0, 0, 0);  D = (7, 0, 0, −2)
  reference::first_conv_gram_loss(y.data(), &loss, matrix.data(), pixels.data(), weight.data(),
                                  bias.data(), {1, 0, 0}, target.data(), {1, 1, 1, 2},
                                  {.gram = 0.5, .loss = 0.25, .gradient = 3});
  EXPECT_EQ(y, (std::array<double, 2>{4, 0}));
  EXPECT_EQ(loss, 0.25 * (49 + 4));
  EXPECT_EQ(matrix, (std::array<double, 4>{21, 0, 0, -6}));
}

}  // namespace
}  // namespace impasto::kernels::first_conv_gram_loss_test
