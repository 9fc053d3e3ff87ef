// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "kernels/style_loss/style_loss.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/device_array.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::kernels::style_loss_device_test {
namespace {

using test::DeviceArray;
using test::GuardedBuffer;

struct Case {
  std::int64_t batch;
  std::int64_t channels;
};
constexpr std::array cases = {Case{1, 1},  Case{2, 3},   Case{3, 7},  Case{1, 16},
                              Case{2, 64}, Case{1, 127}, Case{1, 300}};

/// Both round once, from double. Observed: at most 5.2e-8 and 1.7e-7.
constexpr test::ErrorLimit limit{2e-7, 7e-7};

std::int64_t squared(std::int64_t channels) { return channels * channels; }

template <class T>
struct Result {
  GuardedBuffer<T> loss;
  GuardedBuffer<T> matrix;
};

Result<double> expected(const GuardedBuffer<float>& gram, const GuardedBuffer<float>& target,
                        const Case& size, const StyleLossScale& scale) {
  Result<double> result{GuardedBuffer<double>(size.batch),
                        GuardedBuffer<double>(static_cast<std::int64_t>(gram.size()))};
  reference::style_loss(result.loss.data(), result.matrix.data(), widened(gram).data(),
                        widened(target).data(), size.batch, size.channels, scale);
  return result;
}

/// `offset` 0 lets the kernel use vectors, 1 does not.
Result<float> run(const GuardedBuffer<float>& gram, const GuardedBuffer<float>& target,
                  const Case& size, const StyleLossScale& scale, std::int64_t offset) {
  const auto count = static_cast<std::int64_t>(gram.size());
  const auto both = test::under_every_schedule([&] {
    DeviceArray<float> g(gram, offset);
    DeviceArray<float> a(target, offset);
    DeviceArray<float> loss(size.batch, offset);
    DeviceArray<float> matrix(count, offset);
    DeviceArray<double> workspace(IMPASTO_DEVICE::style_loss_workspace(size.batch, size.channels));
    IMPASTO_DEVICE::style_loss(loss.data(), matrix.data(), g.data(), a.data(), size.batch,
                               size.channels, scale, workspace.data(), nullptr);
    GuardedBuffer<float> result(size.batch + count);
    std::copy_n(loss.values().data(), size.batch, result.data());
    std::copy_n(matrix.values().data(), count, result.data() + size.batch);
    return result;
  });
  Result<float> result{GuardedBuffer<float>(size.batch), GuardedBuffer<float>(count)};
  std::copy_n(both.data(), size.batch, result.loss.data());
  std::copy_n(both.data() + size.batch, count, result.matrix.data());
  return result;
}

void expect_close(const Result<float>& actual, const Result<double>& wanted) {
  EXPECT_TRUE(test::is_close(actual.loss, wanted.loss, limit));
  EXPECT_TRUE(test::is_close(actual.matrix, wanted.matrix, limit));
}

TEST(StyleLossDevice, MatchesTheReference) {
  const StyleLossScale scale{0.3, 0.01, 0.17};
  for (const Case& size : cases) {
    for (const std::int64_t offset : {0, 1}) {
      SCOPED_TRACE(testing::Message()
                   << size.batch << " images, " << size.channels << " channels, offset " << offset);
      const auto gram = test::gaussian<float>(size.batch * squared(size.channels), 1);
      const auto target = test::gaussian<float>(squared(size.channels), 2);
      expect_close(run(gram, target, size, scale, offset), expected(gram, target, size, scale));
    }
  }
}

TEST(StyleLossDevice, IsExactOnIntegers) {
  const Case size{2, 37};
  const StyleLossScale scale{2, 0.5, 3};
  const auto gram = test::integers<float>(2 * squared(37), 3);
  const auto target = test::integers<float>(squared(37), 4);
  const auto wanted = expected(gram, target, size, scale);
  const auto actual = run(gram, target, size, scale, 0);
  EXPECT_TRUE(test::is_equal(actual.loss, wanted.loss));
  EXPECT_TRUE(test::is_equal(actual.matrix, wanted.matrix));
}

// A float difference of two numbers near 1e6 would know 1e-3 of this at best.
TEST(StyleLossDevice, KeepsItsDigitsWhereGramAndTargetAreNear) {
  const Case size{1, 64};
  const StyleLossScale scale{0.3, 1, 1};
  const auto gram = test::gaussian<float>(squared(64), 5, 1e6, 1e5);
  GuardedBuffer<float> target = gram;
  for (float& value : target) value = value * 0.3F + 1;
  expect_close(run(gram, target, size, scale, 0), expected(gram, target, size, scale));
}

}  // namespace
}  // namespace impasto::kernels::style_loss_device_test
