// SPDX-License-Identifier: MIT
#include "kernels/normalize_gradient/normalize_gradient.hpp"

#include <cmath>
#include <gtest/gtest.h>

#include "tests/support/cases.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/random_fill.hpp"
#include "tests/support/threads.hpp"

namespace impasto::kernels::normalize_gradient_test {
namespace {

using test::GuardedBuffer;
using Numbers = std::vector<double>;

TEST(NormalizeGradient, ReferenceGivesTheWorkedExample) {
  // Two images of two values, of norms 4 and 0. least = 1 shows what it does.
  const MapSize size{2, 1, 2, 1};
  const GuardedBuffer<double> g{1, -3, 0, 0};
  const GuardedBuffer<double> x{1, 0, 1, 1};
  GuardedBuffer<double> grad{10, 10, 10, 10};
  reference::normalize_gradient(grad.data(), g.data(), x.data(), size, {10, 1}, {true, true});
  EXPECT_TRUE(test::is_equal(grad, Numbers{12, 0, 10, 10}));
}

TEST(NormalizeGradient, GivesTheNormThatIsAskedForWhateverTheGradients) {
  const MapSize size{1, 5, 7, 3};
  for (const double scale : {1e-4, 1.0, 1e6}) {
    const auto g = test::gaussian(size.count(), 1, scale);
    GuardedBuffer<double> grad(size.count());
    reference::normalize_gradient(grad.data(), g.data(), g.data(), size, {.norm = 3}, {});
    double norm = 0;
    for (const double value : grad) norm += std::abs(value);
    EXPECT_NEAR(norm, 3, 1e-5);
  }
}

TEST(NormalizeGradient, CpuMatchesTheReference) {
  for (const MapSize& size : test::map_sizes) {
    SCOPED_TRACE(size);
    const auto x = test::features<float>(size.count(), 1);
    const auto g = test::gaussian<float>(size.count(), 2);
    const auto held = test::gaussian<float>(size.count(), 3);
    const GradientNorm to{.norm = static_cast<double>(size.per_image())};
    for (const GradientEpilogue& epilogue : test::epilogues) {
      SCOPED_TRACE(epilogue);
      GuardedBuffer<double> expected = widened(held);
      reference::normalize_gradient(expected.data(), widened(g).data(), widened(x).data(), size, to,
                                    epilogue);
      GuardedBuffer<float> found = held;
      cpu::normalize_gradient(found.data(), g.data(), x.data(), size, to, epilogue);
      EXPECT_TRUE(test::is_close(found, expected, test::elementwise<float>));
    }
  }
}

TEST(NormalizeGradient, CpuHasTheSameBitsOnAnyNumberOfThreads) {
  const MapSize size{2, 131, 97, 5};
  const auto g = test::gaussian<float>(size.count(), 4);
  const auto on_threads = [&](int threads) {
    const test::ThreadCount scope(threads);
    GuardedBuffer<float> grad(size.count());
    cpu::normalize_gradient(grad.data(), g.data(), g.data(), size, {.norm = 1e4}, {});
    return grad;
  };
  EXPECT_TRUE(test::same_bits(on_threads(1), on_threads(2)));
}

}  // namespace
}  // namespace impasto::kernels::normalize_gradient_test
