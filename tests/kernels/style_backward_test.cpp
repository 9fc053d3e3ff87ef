// SPDX-License-Identifier: MIT
#include "kernels/style_backward/style_backward.hpp"

#include <gtest/gtest.h>

#include "kernels/common/bfloat16.hpp"
#include "kernels/gram/gram.hpp"
#include "kernels/style_loss/style_loss.hpp"
#include "tests/support/cases.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/gradient_check.hpp"
#include "tests/support/random_fill.hpp"
#include "tests/support/threads.hpp"

namespace impasto::kernels::style_backward_test {
namespace {

using Buffer = test::GuardedBuffer<double>;
using Numbers = std::vector<double>;

Buffer backward(const Buffer& held, const Buffer& features, const Buffer& matrix,
                const MapSize& size, const GradientEpilogue& epilogue) {
  Buffer grad = epilogue.accumulate ? held : Buffer(size.count());
  reference::style_backward(grad.data(), features.data(), matrix.data(), size, epilogue);
  return grad;
}

TEST(StyleBackward, MultipliesEachPixelWithTheMatrixThenAddsThenMasks) {
  const MapSize size{1, 1, 2, 2};
  const Buffer features{1, 2, 0, 3};
  const Buffer matrix{1, 10, 100, 1000};
  const Buffer held{5, 6, 7, 8};
  // (1,2)·M = (1·1 + 2·100, 1·10 + 2·1000), (0,3)·M = (300, 3000).
  EXPECT_TRUE(test::is_equal(backward(held, features, matrix, size, {false, false}),
                             Numbers{201, 2010, 300, 3000}));
  EXPECT_TRUE(test::is_equal(backward(held, features, matrix, size, {true, false}),
                             Numbers{206, 2016, 307, 3008}));
  EXPECT_TRUE(test::is_equal(backward(held, features, matrix, size, {false, true}),
                             Numbers{201, 2010, 0, 3000}));
  EXPECT_TRUE(test::is_equal(backward(held, features, matrix, size, {true, true}),
                             Numbers{206, 2016, 0, 3008}));
}

TEST(StyleBackward, EachImageHasItsOwnMatrix) {
  const MapSize size{2, 1, 1, 2};
  EXPECT_TRUE(test::is_equal(backward({}, {1, 2, 1, 2}, {1, 0, 0, 1, 0, 1, 1, 0}, size, {}),
                             Numbers{1, 2, 2, 1}));
}

// The whole style term: gram, then style_loss, then style_backward.
TEST(StyleBackward, GradientOfTheStyleTermMatchesCentralDifference) {
  for (const MapSize& size : {MapSize{1, 1, 1, 1}, MapSize{2, 3, 4, 5}, MapSize{1, 16, 16, 16}}) {
    SCOPED_TRACE(size);
    const std::int64_t C = size.channels;
    const double weight = 0.2;
    const double gram_scale = 1 / static_cast<double>(size.per_image());
    const double loss_scale = 0.25;
    const StyleLossScale scale{gram_scale, loss_scale, weight * 4 * loss_scale * gram_scale};
    const Buffer target = [&] {
      const MapSize one{1, size.height, size.width, C};
      const Buffer style = test::gaussian(one.count(), 1);
      Buffer gram(C * C);
      reference::gram(gram.data(), style.data(), one);
      for (double& value : gram) value *= gram_scale;
      return gram;
    }();
    Buffer matrix(size.batch * C * C);
    const auto loss_at = [&](const Buffer& features) {
      Buffer gram(size.batch * C * C);
      Buffer loss(size.batch);
      reference::gram(gram.data(), features.data(), size);
      reference::style_loss(loss.data(), matrix.data(), gram.data(), target.data(), size.batch, C,
                            scale);
      return weight * std::accumulate(loss.begin(), loss.end(), 0.0);
    };
    const Buffer features = test::gaussian(size.count(), 2);
    loss_at(features);
    const Buffer gradient = backward({}, features, matrix, size, {});
    EXPECT_LT(gradient_error(loss_at, features, gradient), 1e-7);
  }
}

TEST(StyleBackward, HasTheSameBitsOnAnyNumberOfThreads) {
  const MapSize size{2, 9, 7, 16};
  const Buffer features = test::features(size.count(), 3);
  const Buffer matrix = test::gaussian(2 * 16 * 16, 4);
  const auto on_threads = [&](int threads) {
    const test::ThreadCount scope(threads);
    return backward({}, features, matrix, size, {false, true});
  };
  EXPECT_TRUE(test::same_bits(on_threads(1), on_threads(2)));
}

template <class T>
void mask_keeps_the_gradient_where_the_feature_is_positive() {
  for (const std::int64_t count : {1, 2, 31, 33, 1000, 100003}) {
    SCOPED_TRACE(count);
    const auto features = test::features<T>(count, 5);
    const auto held = test::gaussian<T>(count, 6);
    auto grad = held;
    cpu::relu_mask(grad.data(), features.data(), count);
    for (std::size_t i = 0; i < grad.size(); ++i) {
      const auto kept = static_cast<float>(features[i]) > 0 ? static_cast<float>(held[i]) : 0.0F;
      ASSERT_EQ(static_cast<float>(grad[i]), kept) << "index " << i;
    }
  }
}

TEST(ReluMask, KeepsTheGradientWhereTheFeatureIsPositiveInFloat) {
  mask_keeps_the_gradient_where_the_feature_is_positive<float>();
}
TEST(ReluMask, KeepsTheGradientWhereTheFeatureIsPositiveInBfloat16) {
  mask_keeps_the_gradient_where_the_feature_is_positive<bfloat16>();
}

// A gradient that diverged must not survive where the feature is dead: 0·∞ would be NaN.
TEST(ReluMask, ClearsInfinityAndNaNToo) {
  test::GuardedBuffer<float> grad{HUGE_VALF, NAN, -HUGE_VALF, 1};
  const test::GuardedBuffer<float> features{0, 0, 0, -0.0F};
  cpu::relu_mask(grad.data(), features.data(), 4);
  EXPECT_TRUE(test::is_equal(grad, Numbers{0, 0, 0, 0}));
}

}  // namespace
}  // namespace impasto::kernels::style_backward_test
