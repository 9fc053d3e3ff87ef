// SPDX-License-Identifier: MIT
// The CPU kernels that are compiled for AVX2 and for AVX-512, but for Winograd's, which have a file of
// their own.
#include <gtest/gtest.h>
#include <new>
#include <vector>

#include "kernels/first_conv/first_conv.hpp"
#include "kernels/gram/gram.hpp"
#include "kernels/style_first_conv/style_first_conv.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/guarded_buffer.hpp"
#include "tests/support/random_fill.hpp"
#include "tests/support/threads.hpp"

namespace impasto::kernels::simd_test {
namespace {

using cpu::Simd;
using test::ErrorLimit;
using test::GuardedBuffer;

/// Sums of up to 4096 products in float.
constexpr ErrorLimit limit{1e-6, 1e-5};

GuardedBuffer<float> features_of(const MapSize& size) {
  GuardedBuffer<float> features(size.count());
  test::fill_features(features, 1);
  return features;
}

class SimdKernels : public testing::TestWithParam<Simd> {
 protected:
  void SetUp() override {
    if (!cpu::has_simd(GetParam())) GTEST_SKIP() << "this CPU does not have these instructions";
  }
};

template <class T>
void expect_the_first_gradient(Simd simd) {
  for (const MapSize& size : {MapSize{1, 1, 1, 16}, MapSize{1, 1, 9, 64}, MapSize{2, 5, 10, 32},
                              MapSize{1, 3, 8, 48}, MapSize{3, 4, 43, 64}}) {
    SCOPED_TRACE(testing::Message()
                 << size.batch << "x" << size.height << "x" << size.width << "x" << size.channels);
    const auto grad_y = test::gaussian<T>(size.count(), 1);
    const auto weight = test::gaussian<float>(27 * size.channels, 2);
    std::vector<double> expected(static_cast<std::size_t>(3 * size.batch * size.pixels()));
    reference::first_conv_backward(expected.data(), widened(grad_y).data(), widened(weight).data(),
                                   size);
    GuardedBuffer<float> grad_pixels(static_cast<std::int64_t>(expected.size()));
    cpu::first_conv_backward(grad_pixels.data(), grad_y.data(), weight.data(), size, simd);
    EXPECT_TRUE(test::is_close(grad_pixels, expected, limit));
  }
}

TEST_P(SimdKernels, FirstConvBackwardIsTheReferenceInFloat) {
  expect_the_first_gradient<float>(GetParam());
}
TEST_P(SimdKernels, FirstConvBackwardIsTheReferenceInBfloat16) {
  expect_the_first_gradient<bfloat16>(GetParam());
}

GuardedBuffer<float> style_first_conv(const MapSize& size, const GradientEpilogue& epilogue,
                                      Simd simd) {
  GuardedBuffer<float> grad_pixels(3 * size.batch * size.pixels());
  cpu::style_first_conv_backward(
      grad_pixels.data(), test::gaussian<float>(size.count(), 2).data(), features_of(size).data(),
      test::gaussian<float>(size.batch * size.channels * size.channels, 3).data(),
      test::gaussian<float>(27 * size.channels, 4).data(), size, epilogue, simd);
  return grad_pixels;
}

TEST_P(SimdKernels, StyleFirstConvIsTheReferenceWithEveryEpilogue) {
  for (const MapSize& size : {MapSize{1, 1, 1, 64}, MapSize{2, 5, 7, 64}, MapSize{3, 1, 13, 64},
                              MapSize{1, 9, 18, 128}}) {
    for (const GradientEpilogue epilogue :
         {GradientEpilogue{false, false}, {true, false}, {false, true}, {true, true}}) {
      SCOPED_TRACE(testing::Message()
                   << size.batch << "x" << size.height << "x" << size.width << "x" << size.channels
                   << " " << epilogue.accumulate << epilogue.relu_mask);
      GuardedBuffer<double> grad = widened(test::gaussian<float>(size.count(), 2));
      std::vector<double> expected(static_cast<std::size_t>(3 * size.batch * size.pixels()));
      reference::style_first_conv_backward(
          expected.data(), grad.data(), widened(features_of(size)).data(),
          widened(test::gaussian<float>(size.batch * size.channels * size.channels, 3)).data(),
          widened(test::gaussian<float>(27 * size.channels, 4)).data(), size, epilogue);
      EXPECT_TRUE(test::is_close(style_first_conv(size, epilogue, GetParam()), expected, limit));
    }
  }
}

TEST_P(SimdKernels, StyleFirstConvGivesTheSameBitsOnAnyNumberOfThreads) {
  const MapSize size{2, 33, 17, 64};
  const auto with = [&](int threads) {
    const test::ThreadCount limited(threads);
    return style_first_conv(size, {true, true}, GetParam());
  };
  const auto alone = with(1);
  for (const int threads : {2, 3, 5}) EXPECT_TRUE(test::is_equal(with(threads), alone)) << threads;
}

TEST_P(SimdKernels, StyleFirstConvWithoutMemoryThrowsBeforeItsThreadsBegin) {
  const test::ThreadCount limited(1);
  const MapSize too_wide{1, 1, std::int64_t{1} << 54, 64};
  const auto weight = test::gaussian<float>(27 * 64, 1);
  EXPECT_THROW(cpu::style_first_conv_backward(nullptr, nullptr, nullptr, nullptr, weight.data(),
                                              too_wide, {}, GetParam()),
               std::bad_alloc);
}

GuardedBuffer<float> gram(const MapSize& size, Simd simd, int threads) {
  GuardedBuffer<float> gram(size.batch * size.channels * size.channels);
  GuardedBuffer<float> workspace(cpu::gram_workspace(size, threads));
  cpu::gram(gram.data(), features_of(size).data(), size, simd, workspace.data(), threads);
  return gram;
}

/// One pixel; parts of what is packed at once; several panels; several chunks, the last one smaller.
const std::vector<MapSize> gram_sizes = {
    {1, 1, 1, 64}, {2, 3, 5, 64}, {1, 11, 13, 128}, {2, 5, 30, 192}, {1, 70, 61, 64}};

TEST_P(SimdKernels, GramIsTheReference) {
  for (const MapSize& size : gram_sizes) {
    SCOPED_TRACE(testing::Message()
                 << size.batch << "x" << size.height << "x" << size.width << "x" << size.channels);
    std::vector<double> expected(
        static_cast<std::size_t>(size.batch * size.channels * size.channels));
    reference::gram(expected.data(), widened(features_of(size)).data(), size);
    EXPECT_TRUE(test::is_close(gram(size, GetParam(), 2), expected, limit));
  }
}

TEST_P(SimdKernels, GramGivesTheSameBitsOnAnyNumberOfThreads) {
  for (const MapSize& size : gram_sizes) {
    const auto alone = gram(size, GetParam(), 1);
    EXPECT_TRUE(test::is_equal(gram(size, GetParam(), 3), alone)) << size.channels;
  }
}

INSTANTIATE_TEST_SUITE_P(Instructions, SimdKernels, testing::Values(Simd::avx2, Simd::avx512),
                         [](const auto& simd) {
                           return simd.param == Simd::avx2 ? "avx2" : "avx512";
                         });

}  // namespace
}  // namespace impasto::kernels::simd_test
