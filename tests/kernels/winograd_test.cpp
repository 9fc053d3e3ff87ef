// SPDX-License-Identifier: MIT
#include "kernels/conv/winograd.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <limits>
#include <vector>

#include "tests/support/compare.hpp"
#include "tests/support/guarded_buffer.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::kernels::winograd_test {
namespace {

using cpu::Simd;
using test::ErrorLimit;
using test::GuardedBuffer;
using test::is_close;

template <class T>
std::int64_t count(const GuardedBuffer<T>& buffer) {
  return static_cast<std::int64_t>(buffer.size());
}

enum class Direction { forward, gradient };

/// A convolution with feature maps and filters of type T, and the same in double.
template <class T>
struct Problem {
  Problem(const ConvSize& s, Direction d)
      : size(s),
        direction(d),
        x(s.batch * s.height * s.width * s.in_channels),
        held(s.batch * s.height * s.width * s.out_channels),
        map(s.batch * s.height * s.width * s.out_channels),
        weight(9 * s.in_channels * s.out_channels),
        bias(s.out_channels) {
    test::fill_features(x, 1);
    test::fill_gaussian(held, 2);
    test::fill_features(map, 3);
    test::fill_gaussian(weight, 4);
    test::fill_gaussian(bias, 5);
    // As they are stored: rounded to T.
    for (float& value : weight) value = static_cast<float>(static_cast<T>(value));
  }

  GuardedBuffer<double> expected(bool relu, const GradientEpilogue& epilogue) const {
    GuardedBuffer<double> y = widened(held);
    if (direction == Direction::forward) {
      reference::conv_forward(y.data(), widened(x).data(), widened(weight).data(),
                              widened(bias).data(), size, relu);
    } else {
      ConvSize forward = size;
      std::swap(forward.in_channels, forward.out_channels);
      reference::conv_data_gradient(y.data(), widened(x).data(), widened(weight).data(),
                                    widened(map).data(), forward, epilogue);
    }
    return y;
  }

  GuardedBuffer<T> run(Simd simd, int threads, bool relu, const GradientEpilogue& epilogue) const {
    GuardedBuffer<T> y(count(held));
    if (epilogue.accumulate) std::copy(held.begin(), held.end(), y.begin());
    GuardedBuffer<T> filters(count(weight));
    cpu::WinogradEpilogue<T> last{.accumulate = epilogue.accumulate,
                                  .mask = epilogue.relu_mask ? map.data() : nullptr};
    if (direction == Direction::forward) {
      cpu::pack_winograd_filters(filters.data(), weight.data(), size.in_channels,
                                 size.out_channels);
      last.bias = bias.data();
      last.relu = relu;
    } else {
      GuardedBuffer<T> packed(count(weight));
      cpu::pack_winograd_filters(packed.data(), weight.data(), size.out_channels, size.in_channels);
      cpu::rotate_winograd_filters(filters.data(), packed.data(), size.out_channels,
                                   size.in_channels);
    }
    GuardedBuffer<float> workspace(threads * cpu::winograd_workspace(size.in_channels));
    cpu::winograd<T>({y.data(), x.data(), filters.data(), size, last}, simd, workspace.data(),
                     threads);
    return y;
  }

  ConvSize size;
  Direction direction;
  GuardedBuffer<T> x;
  GuardedBuffer<T> held;
  GuardedBuffer<T> map;
  GuardedBuffer<float> weight;
  GuardedBuffer<float> bias;
};

template <class T>
constexpr ErrorLimit limit{5e-6, 5e-5};
/// bfloat16's own rounding is 1.7e-3 of the RMS.
template <>
constexpr ErrorLimit limit<bfloat16>{4e-3, 4e-2};

class Winograd : public testing::TestWithParam<Simd> {
 protected:
  void SetUp() override {
    if (!cpu::has_simd(GetParam())) GTEST_SKIP() << "this CPU does not have these instructions";
  }
};

/// One pixel, parts of tiles, several blocks of tiles with a rest of 1 to 5, several pictures.
const std::vector<ConvSize> sizes = {{1, 1, 1, 64, 64},   {1, 4, 4, 64, 128}, {1, 5, 3, 192, 64},
                                     {2, 7, 9, 128, 128}, {3, 3, 2, 64, 64},  {1, 41, 30, 64, 64},
                                     {2, 17, 83, 64, 64}};

template <class T>
void expect_the_convolution(Simd simd) {
  for (const ConvSize& size : sizes) {
    SCOPED_TRACE(testing::Message() << size.batch << "x" << size.height << "x" << size.width << "x"
                                    << size.in_channels << " to " << size.out_channels);
    const Problem<T> forward(size, Direction::forward);
    EXPECT_TRUE(is_close(forward.run(simd, 2, true, {}), forward.expected(true, {}), limit<T>));
    const Problem<T> gradient(size, Direction::gradient);
    EXPECT_TRUE(is_close(gradient.run(simd, 2, false, {}), gradient.expected(false, {}), limit<T>));
  }
}

TEST_P(Winograd, IsTheConvolutionAtEverySizeInFloat) { expect_the_convolution<float>(GetParam()); }

TEST_P(Winograd, IsTheConvolutionAtEverySizeInBfloat16) {
  expect_the_convolution<bfloat16>(GetParam());
}

TEST_P(Winograd, EveryEpilogueDoesWhatItSays) {
  const Problem<float> gradient({1, 6, 7, 64, 64}, Direction::gradient);
  for (const bool accumulate : {false, true}) {
    for (const bool masked : {false, true}) {
      const GradientEpilogue epilogue{accumulate, masked};
      EXPECT_TRUE(is_close(gradient.run(GetParam(), 1, false, epilogue),
                           gradient.expected(false, epilogue), limit<float>))
          << accumulate << masked;
    }
  }
  const Problem<float> linear({1, 6, 7, 64, 64}, Direction::forward);
  EXPECT_TRUE(
      is_close(linear.run(GetParam(), 1, false, {}), linear.expected(false, {}), limit<float>));
}

TEST_P(Winograd, GivesTheSameBitsOnAnyNumberOfThreads) {
  const Problem<float> problem({1, 37, 61, 128, 256}, Direction::forward);
  const GuardedBuffer<float> one = problem.run(GetParam(), 1, true, {});
  for (const int threads : {2, 3, 8}) {
    const GuardedBuffer<float> several = problem.run(GetParam(), threads, true, {});
    EXPECT_EQ(0, std::memcmp(one.data(), several.data(), one.size() * sizeof(float))) << threads;
  }
}

TEST_P(Winograd, ANanReachesTheTilesItIsIn) {
  Problem<float> problem({1, 12, 12, 64, 64}, Direction::forward);
  problem.x.data()[0] = std::numeric_limits<float>::quiet_NaN();
  const GuardedBuffer<float> y = problem.run(GetParam(), 1, true, {});
  EXPECT_TRUE(std::isnan(y.data()[0]));
  EXPECT_FALSE(std::isnan(y.data()[y.size() - 1]));
}

INSTANTIATE_TEST_SUITE_P(Simd, Winograd, testing::Values(Simd::avx2, Simd::avx512),
                         [](const auto& simd) {
                           return simd.param == Simd::avx2 ? "avx2" : "avx512";
                         });

}  // namespace
}  // namespace impasto::kernels::winograd_test
