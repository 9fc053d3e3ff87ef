// SPDX-License-Identifier: MIT
#include "kernels/replicate_border/replicate_border.hpp"

#include <array>
#include <gtest/gtest.h>
#include <set>

#include "kernels/common/bfloat16.hpp"
#include "kernels/first_conv/first_conv.hpp"
#include "tests/support/cases.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/gradient_check.hpp"
#include "tests/support/random_fill.hpp"
#include "tests/support/threads.hpp"

namespace impasto::kernels::replicate_border_test {
namespace {

using test::GuardedBuffer;
using Buffer = GuardedBuffer<double>;

constexpr std::array<double, 3> mean = {124, 117, 104};
constexpr std::array<float, 3> float_mean = {124, 117, 104};

/// One pixel, one row, one column, two, and more of both.
constexpr std::array sizes = {MapSize{1, 1, 1, 2}, MapSize{2, 1, 5, 3}, MapSize{1, 4, 1, 3},
                              MapSize{1, 2, 2, 5}, MapSize{2, 3, 4, 5}, MapSize{1, 7, 5, 64}};

std::int64_t pixel_values(const MapSize& size) { return 3 * size.batch * size.pixels(); }

/// The first convolution of the picture as it is continued by its border.
Buffer forward(const Buffer& pixels, const Buffer& weight, const Buffer& bias, const MapSize& size,
               bool relu) {
  Buffer y(size.count());
  reference::first_conv_forward(y.data(), pixels.data(), weight.data(), bias.data(), mean, size,
                                relu);
  reference::replicate_border_forward(y.data(), pixels.data(), weight.data(), bias.data(), mean,
                                      size, relu);
  return y;
}

/// The picture with one more pixel on each side, as its border repeats it.
Buffer continued(const Buffer& pixels, const MapSize& size) {
  const std::int64_t H = size.height, W = size.width;
  Buffer wide(3 * size.batch * (H + 2) * (W + 2));
  std::size_t at = 0;
  for (std::int64_t n = 0; n < size.batch; ++n) {
    for (std::int64_t h = -1; h <= H; ++h) {
      for (std::int64_t w = -1; w <= W; ++w) {
        const std::int64_t row = std::min(std::max(h, std::int64_t{0}), H - 1);
        const std::int64_t column = std::min(std::max(w, std::int64_t{0}), W - 1);
        for (std::int64_t c = 0; c < 3; ++c) {
          wide[at++] = pixels[static_cast<std::size_t>(((n * H + row) * W + column) * 3 + c)];
        }
      }
    }
  }
  return wide;
}

TEST(ReplicateBorder, IsTheConvolutionOfAPictureThatIsContinued) {
  for (const MapSize& size : sizes) {
    SCOPED_TRACE(size);
    const auto pixels = test::gaussian(pixel_values(size), 1, 128, 60);
    const auto weight = test::gaussian(27 * size.channels, 2);
    const auto bias = test::gaussian(size.channels, 3);
    const MapSize wide{size.batch, size.height + 2, size.width + 2, size.channels};
    Buffer all(wide.count());
    reference::first_conv_forward(all.data(), continued(pixels, size).data(), weight.data(),
                                  bias.data(), mean, wide, true);
    Buffer inner(size.count());
    std::size_t to = 0;
    for (std::int64_t n = 0; n < size.batch; ++n) {
      for (std::int64_t h = 1; h <= size.height; ++h) {
        for (std::int64_t i = size.channels; i < (size.width + 1) * size.channels; ++i) {
          inner[to++] =
              all[static_cast<std::size_t>((n * wide.height + h) * wide.width * wide.channels + i)];
        }
      }
    }
    EXPECT_TRUE(test::is_close(forward(pixels, weight, bias, size, true), inner,
                               test::ErrorLimit{1e-14, 1e-13}));
  }
}

TEST(ReplicateBorder, GradientMatchesCentralDifference) {
  for (const MapSize& size : sizes) {
    SCOPED_TRACE(size);
    const auto pixels = test::gaussian(pixel_values(size), 1, 128, 60);
    const auto weight = test::gaussian(27 * size.channels, 2);
    const auto bias = test::gaussian(size.channels, 3);
    const auto loss = [&](const Buffer& at) {
      const auto y = forward(at, weight, bias, size, false);
      return 0.5 * test::dot(y, y);
    };
    const auto y = forward(pixels, weight, bias, size, false);
    Buffer grad(static_cast<std::int64_t>(pixels.size()));
    reference::first_conv_backward(grad.data(), y.data(), weight.data(), size);
    reference::replicate_border_backward(grad.data(), y.data(), weight.data(), size);
    EXPECT_LT(gradient_error(loss, pixels, grad), 1e-6);
  }
}

TEST(ReplicateBorder, NumbersEveryPixelOfTheBorderOnce) {
  for (const MapSize& size : sizes) {
    std::set<std::pair<std::int64_t, std::int64_t>> found;
    for (std::int64_t i = 0; i < border_count(size.height, size.width); ++i) {
      const auto [row, column] = border_pixel(i, size.height, size.width);
      EXPECT_TRUE(found.insert({row, column}).second) << size << ", number " << i;
    }
    std::size_t expected = 0;
    for (std::int64_t h = 0; h < size.height; ++h) {
      for (std::int64_t w = 0; w < size.width; ++w) {
        const bool border = h == 0 || w == 0 || h == size.height - 1 || w == size.width - 1;
        expected += border ? 1 : 0;
        EXPECT_EQ(found.contains({h, w}), border) << size << " at " << h << "," << w;
      }
    }
    EXPECT_EQ(found.size(), expected);
  }
}

// Sums of 27 and of up to 5·3·64 products in float. Observed: 1e-6 of the largest; 16 bits round the
// result.
template <class T>
void matches_the_reference() {
  for (const MapSize& size : sizes) {
    SCOPED_TRACE(size);
    const auto pixels = test::gaussian<float>(pixel_values(size), 1, 128, 60);
    const auto weight = test::gaussian<float>(27 * size.channels, 2);
    const auto bias = test::gaussian<float>(size.channels, 3);
    const auto before = test::gaussian<T>(size.count(), 4);
    GuardedBuffer<T> y = before;
    Buffer expected = widened(before);
    cpu::replicate_border_forward(y.data(), pixels.data(), weight.data(), bias.data(), float_mean,
                                  size, true);
    reference::replicate_border_forward(expected.data(), widened(pixels).data(),
                                        widened(weight).data(), widened(bias).data(), mean, size,
                                        true);
    const test::ErrorLimit limit =
        sizeof(T) == 4 ? test::ErrorLimit{5e-7, 4e-6} : test::elementwise<T>;
    EXPECT_TRUE(test::is_close(y, test::rounded<T>(expected), limit));

    const auto grad_y = test::gaussian<T>(size.count(), 5);
    auto grad = test::gaussian<float>(pixel_values(size), 6);
    Buffer expected_grad = widened(grad);
    cpu::replicate_border_backward(grad.data(), grad_y.data(), weight.data(), size);
    reference::replicate_border_backward(expected_grad.data(), widened(grad_y).data(),
                                         widened(weight).data(), size);
    EXPECT_TRUE(test::is_close(grad, expected_grad, test::ErrorLimit{5e-7, 4e-6}));
  }
}

TEST(ReplicateBorder, CpuMatchesTheReferenceInFloat) { matches_the_reference<float>(); }
TEST(ReplicateBorder, CpuMatchesTheReferenceInBfloat16) { matches_the_reference<bfloat16>(); }

TEST(ReplicateBorder, CpuHasTheSameBitsOnAnyNumberOfThreads) {
  const MapSize size{2, 61, 37, 64};
  const auto pixels = test::gaussian<float>(pixel_values(size), 1, 128, 60);
  const auto weight = test::gaussian<float>(27 * size.channels, 2);
  const auto bias = test::gaussian<float>(size.channels, 3);
  const auto before = test::gaussian<float>(size.count(), 4);
  const auto on_threads = [&](int threads) {
    const test::ThreadCount scope(threads);
    GuardedBuffer<float> y = before;
    GuardedBuffer<float> grad = pixels;
    cpu::replicate_border_forward(y.data(), pixels.data(), weight.data(), bias.data(), float_mean,
                                  size, true);
    cpu::replicate_border_backward(grad.data(), before.data(), weight.data(), size);
    return std::pair(y, grad);
  };
  const auto [y_1, grad_1] = on_threads(1);
  const auto [y_2, grad_2] = on_threads(2);
  EXPECT_TRUE(test::same_bits(y_1, y_2));
  EXPECT_TRUE(test::same_bits(grad_1, grad_2));
}

}  // namespace
}  // namespace impasto::kernels::replicate_border_test
