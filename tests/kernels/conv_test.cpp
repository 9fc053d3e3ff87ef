// SPDX-License-Identifier: MIT
#include "kernels/conv/conv.hpp"

#include <array>
#include <gtest/gtest.h>

#include "tests/support/cases.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/gradient_check.hpp"
#include "tests/support/guarded_buffer.hpp"
#include "tests/support/random_fill.hpp"
#include "tests/support/rotated_filters.hpp"
#include "tests/support/threads.hpp"

namespace impasto::kernels::conv_test {
namespace {

using test::dot;
using test::gaussian;
using test::integers;
using test::rotated_filters;
using test::zeros;
using Buffer = test::GuardedBuffer<double>;

constexpr std::array sizes = {ConvSize{1, 1, 1, 1, 1}, ConvSize{1, 1, 5, 3, 2},
                              ConvSize{2, 4, 1, 2, 3}, ConvSize{1, 2, 2, 1, 4},
                              ConvSize{3, 5, 7, 3, 5}, ConvSize{2, 8, 6, 16, 7}};

std::int64_t x_count(const ConvSize& s) { return s.batch * s.height * s.width * s.in_channels; }
std::int64_t y_count(const ConvSize& s) { return s.batch * s.height * s.width * s.out_channels; }
std::int64_t weight_count(const ConvSize& s) { return 9 * s.in_channels * s.out_channels; }

Buffer forward(const Buffer& x, const Buffer& weight, const Buffer& bias, const ConvSize& size,
               bool relu = false) {
  Buffer y(y_count(size));
  reference::conv_forward(y.data(), x.data(), weight.data(), bias.data(), size, relu);
  return y;
}

Buffer data_gradient(const Buffer& grad_y, const Buffer& weight, const ConvSize& size) {
  Buffer grad_x(x_count(size));
  reference::conv_data_gradient(grad_x.data(), grad_y.data(), weight.data(), nullptr, size, {});
  return grad_x;
}

TEST(Conv, ATapReadsThePixelItsRowAndColumnNameAndZeroOutside) {
  const ConvSize size{1, 2, 3, 1, 1};
  const Buffer x{1, 2, 3,  //
                 4, 5, 6};
  // Row 0, column 0 of the filter reads the pixel above and to the left.
  EXPECT_TRUE(test::is_equal(forward(x, {1, 0, 0, 0, 0, 0, 0, 0, 0}, {0}, size),
                             std::vector<double>{0, 0, 0,  //
                                                 0, 1, 2}));
  // Row 1, column 2 reads the pixel to the right.
  EXPECT_TRUE(test::is_equal(forward(x, {0, 0, 0, 0, 0, 1, 0, 0, 0}, {0}, size),
                             std::vector<double>{2, 3, 0,  //
                                                 5, 6, 0}));
  // All together: at the first pixel 1 + 2 + 4 + 5.
  EXPECT_TRUE(test::is_equal(forward(x, {1, 1, 1, 1, 1, 1, 1, 1, 1}, {10}, size),
                             std::vector<double>{22, 31, 26,  //
                                                 22, 31, 26}));
}

TEST(Conv, WeightsAreOrderedByOutputThenTapThenInput) {
  const ConvSize size{1, 1, 1, 2, 2};
  Buffer weight = zeros(36);
  weight[4 * 2] = 1;       // output 0, centre, input 0
  weight[4 * 2 + 1] = 10;  // output 0, centre, input 1
  weight[(9 + 4) * 2] = 100;
  weight[(9 + 4) * 2 + 1] = 1000;
  EXPECT_TRUE(test::is_equal(forward({3, 7}, weight, {0.5, 0.25}, size),
                             std::vector<double>{73.5, 7300.25}));
}

TEST(Conv, ReluKeepsWhatIsPositiveAfterTheBias) {
  const ConvSize size{1, 1, 3, 1, 1};
  EXPECT_TRUE(test::is_equal(forward({-5, 1, 5}, {0, 0, 0, 0, 1, 0, 0, 0, 0}, {-2}, size, true),
                             std::vector<double>{0, 0, 3}));
}

TEST(Conv, DataGradientIsTheTransposeOfTheConvolution) {
  for (const ConvSize& size : sizes) {
    SCOPED_TRACE(size);
    const Buffer x = integers(x_count(size), 1);
    const Buffer u = integers(y_count(size), 2);
    const Buffer weight = integers(weight_count(size), 3);
    const Buffer no_bias = zeros(size.out_channels);
    EXPECT_EQ(dot(u, forward(x, weight, no_bias, size)), dot(data_gradient(u, weight, size), x));
  }
}

TEST(Conv, DataGradientIsAConvolutionWithRotatedWeights) {
  for (const ConvSize& size : sizes) {
    SCOPED_TRACE(size);
    const Buffer grad_y = integers(y_count(size), 4);
    const Buffer weight = integers(weight_count(size), 5);
    const ConvSize turned{size.batch, size.height, size.width, size.out_channels, size.in_channels};
    const Buffer no_bias = zeros(size.in_channels);
    EXPECT_TRUE(test::is_equal(data_gradient(grad_y, weight, size),
                               forward(grad_y, rotated_filters(weight, size), no_bias, turned)));
  }
}

TEST(Conv, EpilogueAddsToWhatIsHeldAndThenMasks) {
  const ConvSize size{2, 3, 5, 3, 4};
  const Buffer x = integers(x_count(size), 6);
  const Buffer held = integers(x_count(size), 7);
  const Buffer grad_y = integers(y_count(size), 8);
  const Buffer weight = integers(weight_count(size), 9);
  const Buffer plain = data_gradient(grad_y, weight, size);
  for (const GradientEpilogue& epilogue : test::epilogues) {
    SCOPED_TRACE(epilogue);
    Buffer expected = plain;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      if (epilogue.accumulate) expected[i] += held[i];
      if (epilogue.relu_mask && x[i] <= 0) expected[i] = 0;
    }
    Buffer grad_x = epilogue.accumulate ? held : Buffer(x_count(size));
    reference::conv_data_gradient(grad_x.data(), grad_y.data(), weight.data(), x.data(), size,
                                  epilogue);
    EXPECT_TRUE(test::is_equal(grad_x, expected));
  }
}

TEST(Conv, DataGradientMatchesCentralDifference) {
  for (const ConvSize& size : sizes) {
    SCOPED_TRACE(size);
    const Buffer weight = gaussian(weight_count(size), 10);
    const Buffer bias = gaussian(size.out_channels, 11);
    const Buffer x = gaussian(x_count(size), 12);
    const auto loss = [&](const Buffer& at) {
      const Buffer y = forward(at, weight, bias, size);
      return 0.5 * dot(y, y);
    };
    const Buffer grad_x = data_gradient(forward(x, weight, bias, size), weight, size);
    EXPECT_LT(gradient_error(loss, x, grad_x), 1e-7);
  }
}

TEST(Conv, GradientThroughTwoLayersWithReluMatchesCentralDifference) {
  const ConvSize first{1, 5, 4, 3, 6};
  const ConvSize second{1, 5, 4, 6, 2};
  const Buffer weight_1 = gaussian(weight_count(first), 13, 0, 0.2);
  const Buffer bias_1 = gaussian(6, 14);
  const Buffer weight_2 = gaussian(weight_count(second), 15, 0, 0.2);
  const Buffer bias_2 = gaussian(2, 16);
  const Buffer u = gaussian(y_count(second), 17);
  const Buffer x = gaussian(x_count(first), 18);
  const auto loss = [&](const Buffer& at) {
    return dot(u, forward(forward(at, weight_1, bias_1, first, true), weight_2, bias_2, second));
  };
  // Far enough from the kink that no step of 1e-5 crosses it.
  for (const double value : forward(x, weight_1, bias_1, first)) {
    ASSERT_GT(std::abs(value), 1e-3);
  }
  const Buffer hidden = forward(x, weight_1, bias_1, first, true);
  Buffer grad_hidden(y_count(first));
  reference::conv_data_gradient(grad_hidden.data(), u.data(), weight_2.data(), hidden.data(),
                                second, {false, true});
  EXPECT_LT(gradient_error(loss, x, data_gradient(grad_hidden, weight_1, first)), 1e-7);
}

TEST(Conv, HasTheSameBitsOnAnyNumberOfThreads) {
  const ConvSize size{2, 9, 11, 16, 8};
  const Buffer x = gaussian(x_count(size), 19);
  const Buffer grad_y = gaussian(y_count(size), 20);
  const Buffer weight = gaussian(weight_count(size), 21);
  const Buffer bias = gaussian(8, 22);
  const auto on_threads = [&](int threads) {
    const test::ThreadCount scope(threads);
    return std::pair(forward(x, weight, bias, size), data_gradient(grad_y, weight, size));
  };
  const auto [y_1, grad_1] = on_threads(1);
  const auto [y_2, grad_2] = on_threads(2);
  EXPECT_TRUE(test::same_bits(y_1, y_2));
  EXPECT_TRUE(test::same_bits(grad_1, grad_2));
}

}  // namespace
}  // namespace impasto::kernels::conv_test
