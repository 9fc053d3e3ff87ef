// SPDX-License-Identifier: MIT
#include "kernels/style_first_conv/style_first_conv.hpp"

#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace impasto::kernels::style_first_conv_test {
namespace {

using testing::ElementsAre;

// Two pixels of one channel. g = (1 + 2·3, masked), and it reaches both pixels: itself through the
// middle of the filters, the one to its right through their right column.
TEST(StyleFirstConvReference, GoesFromTheMatrixToThePixels) {
  std::array<double, 27> weight{};
  const auto tap = [&](std::size_t row, std::size_t column) {
    return weight.data() + (3 * row + column) * 3;
  };
  for (int c = 0; c < 3; ++c) {
    tap(1, 1)[c] = c + 1;
    tap(1, 2)[c] = 10 * (c + 1);
  }
  std::array<double, 2> grad = {1, 5};
  const std::array<double, 2> features = {2, 0};
  const double matrix = 3;
  std::array<double, 6> grad_pixels{};
  reference::style_first_conv_backward(grad_pixels.data(), grad.data(), features.data(), &matrix,
                                       weight.data(), {1, 1, 2, 1}, {true, true});
  EXPECT_THAT(grad_pixels, ElementsAre(7, 14, 21, 70, 140, 210));
}

}  // namespace
}  // namespace impasto::kernels::style_first_conv_test
