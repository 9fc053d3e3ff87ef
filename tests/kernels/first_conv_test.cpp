// SPDX-License-Identifier: MIT
#include "kernels/first_conv/first_conv.hpp"

#include <gtest/gtest.h>

#include "tests/support/cases.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/gradient_check.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::kernels::first_conv_test {
namespace {

using Buffer = test::GuardedBuffer<double>;
using Numbers = std::vector<double>;

constexpr std::array<double, 3> mean = {124, 117, 104};

Buffer forward(const Buffer& pixels, const Buffer& weight, const Buffer& bias, const MapSize& size,
               bool relu) {
  Buffer y(size.count());
  reference::first_conv_forward(y.data(), pixels.data(), weight.data(), bias.data(), mean, size,
                                relu);
  return y;
}

// Every tap is 1 and every channel counts. What lies outside the image adds nothing, as the mean
// pixel does; a zero pixel would subtract the mean.
TEST(FirstConv, OutsideTheImageLiesTheMeanPixel) {
  const MapSize size{1, 1, 2, 1};
  const Buffer pixels{125, 119, 107, 124, 117, 104};  // 1, 2, 3 above the mean, then the mean
  const Buffer weight(27, 1.0);
  EXPECT_TRUE(test::is_equal(forward(pixels, weight, {0.5}, size, false), Numbers{6.5, 6.5}));
}

TEST(FirstConv, ReluKeepsWhatIsPositive) {
  const MapSize size{1, 1, 1, 2};
  Buffer weight(54, 0.0);
  weight[4 * 3] = 1;        // channel 0, the middle tap, red
  weight[27 + 4 * 3] = -1;  // channel 1
  const Buffer pixels{130, 0, 0};
  EXPECT_TRUE(test::is_equal(forward(pixels, weight, {0, 1}, size, false), Numbers{6, -5}));
  EXPECT_TRUE(test::is_equal(forward(pixels, weight, {0, 1}, size, true), Numbers{6, 0}));
}

TEST(FirstConv, GradientMatchesCentralDifference) {
  for (const MapSize& size : {MapSize{1, 1, 1, 2}, MapSize{2, 3, 4, 5}, MapSize{1, 5, 2, 3}}) {
    SCOPED_TRACE(size);
    const auto pixels = test::gaussian(3 * size.batch * size.pixels(), 1, 128, 60);
    const auto weight = test::gaussian(27 * size.channels, 2);
    const auto bias = test::gaussian(size.channels, 3);
    const auto loss = [&](const Buffer& at) {
      const auto y = forward(at, weight, bias, size, false);
      return 0.5 * test::dot(y, y);
    };
    const auto y = forward(pixels, weight, bias, size, false);
    Buffer grad(static_cast<std::int64_t>(pixels.size()));
    reference::first_conv_backward(grad.data(), y.data(), weight.data(), size);
    EXPECT_LT(gradient_error(loss, pixels, grad), 1e-6);
  }
}

}  // namespace
}  // namespace impasto::kernels::first_conv_test
