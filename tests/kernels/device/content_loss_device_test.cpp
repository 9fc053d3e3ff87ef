// SPDX-License-Identifier: MIT
#include <array>
#include <gtest/gtest.h>

#include "kernels/content_loss/content_loss.hpp"
#include "tests/support/cases.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/device_array.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::kernels::content_loss_device_test {
namespace {

using test::DeviceArray;
using test::GuardedBuffer;

template <class T>
struct Result {
  GuardedBuffer<float> loss;
  GuardedBuffer<T> grad;
};

/// `held` is what the gradient holds before; without accumulate it is unwritten. `offset` 0 lets
/// the kernel use vectors where an image fills them, 1 does not.
template <class T>
Result<T> run(const GuardedBuffer<T>& held, const GuardedBuffer<T>& features,
              const GuardedBuffer<T>& target, const MapSize& size, const ContentLossScale& scale,
              const GradientEpilogue& epilogue, std::int64_t offset, bool with_gradient = true,
              IMPASTO_DEVICE::ContentLossLauncher<T> launch = &IMPASTO_DEVICE::content_loss<T>) {
  GuardedBuffer<T> grad(size.count());
  const auto loss = test::under_every_schedule([&] {
    DeviceArray<T> f(features, offset);
    DeviceArray<T> p(target, offset);
    DeviceArray<T> unwritten(size.count(), offset);
    DeviceArray<T> written(held, offset);
    DeviceArray<T>& to = epilogue.accumulate ? written : unwritten;
    DeviceArray<float> sums(size.batch);
    DeviceArray<double> workspace(content_loss_workspace(size));
    test::BlocksDone blocks_done;
    launch(sums.data(), with_gradient ? to.data() : nullptr, f.data(), p.data(), size, scale,
           epilogue, workspace.data(), blocks_done.data(), nullptr);
    grad = to.values();
    return sums.values();
  });
  return {loss, grad};
}

/// One value, several images, and several blocks.
constexpr std::array few_sizes = {MapSize{1, 1, 1, 1}, MapSize{2, 3, 5, 8}, MapSize{1, 13, 8, 64}};

// Observed: at most 6.7e-8.
constexpr test::ErrorLimit loss_limit{3e-7, 3e-7};

TEST(ContentLossDevice, MatchesTheReference) {
  const ContentLossScale scale{0.01, 0.3};
  test::for_each_storage_type([&]<class T>() {
    test::for_each_small_map(test::map_sizes, [&](const MapSize& size, std::int64_t offset) {
      const auto features = test::features<T>(size.count(), 1);
      const auto target = test::features<T>(size.count(), 2);
      const auto held = test::gaussian<T>(size.count(), 3);
      for (const GradientEpilogue& epilogue : test::epilogues) {
        SCOPED_TRACE(epilogue);
        GuardedBuffer<double> loss(size.batch);
        GuardedBuffer<double> grad = widened(held);
        reference::content_loss(loss.data(), grad.data(), widened(features).data(),
                                widened(target).data(), size, scale, epilogue);
        const auto actual = run(held, features, target, size, scale, epilogue, offset);
        EXPECT_TRUE(test::is_close(actual.loss, loss, loss_limit));
        EXPECT_TRUE(test::is_close(actual.grad, test::rounded<T>(grad), test::elementwise<T>));
      }
    });
  });
}

TEST(ContentLossDevice, IsExactOnIntegers) {
  const ContentLossScale scale{0.5, 2};
  test::for_each_storage_type([&]<class T>() {
    test::for_each_small_map(few_sizes, [&](const MapSize& size, std::int64_t offset) {
      const auto features = test::integers<T>(size.count(), 4);
      const auto target = test::integers<T>(size.count(), 5);
      GuardedBuffer<double> loss(size.batch);
      GuardedBuffer<double> grad = widened(features);
      reference::content_loss(loss.data(), grad.data(), widened(features).data(),
                              widened(target).data(), size, scale, {true, true});
      const auto actual = run(features, features, target, size, scale, {true, true}, offset);
      EXPECT_TRUE(test::is_equal(actual.loss, loss));
      EXPECT_TRUE(test::is_equal(actual.grad, grad));
    });
  });
}

TEST(ContentLossDevice, LossIsTheSameWithoutAGradient) {
  test::for_each_storage_type([]<class T>() {
    test::for_each_small_map(few_sizes, [](const MapSize& size, std::int64_t offset) {
      const auto features = test::features<T>(size.count(), 6);
      const auto target = test::features<T>(size.count(), 7);
      const auto with = run(features, features, target, size, {}, {}, offset);
      const auto without = run(features, features, target, size, {}, {true, true}, offset, false);
      EXPECT_TRUE(test::same_bits(with.loss, without.loss));
      EXPECT_TRUE(test::same_bits(without.grad, features));
    });
  });
}

class ContentLossLadder : public testing::TestWithParam<IMPASTO_DEVICE::ContentLossRung> {};
INSTANTIATE_TEST_SUITE_P(Every, ContentLossLadder,
                         testing::ValuesIn(IMPASTO_DEVICE::content_loss_ladder()),
                         test::rung_name<IMPASTO_DEVICE::ContentLossRung>);

TEST_P(ContentLossLadder, MatchesTheReference) {
  const ContentLossScale scale{0.01, 0.3};
  test::for_each_storage_type_of(GetParam(), [&]<class T>() {
    test::for_each_small_map(few_sizes, [&](const MapSize& size, std::int64_t offset) {
      const auto features = test::features<T>(size.count(), 1);
      const auto target = test::features<T>(size.count(), 2);
      const auto held = test::gaussian<T>(size.count(), 3);
      const GradientEpilogue epilogue{offset == 0, size.batch == 1};
      GuardedBuffer<double> loss(size.batch);
      GuardedBuffer<double> grad = widened(held);
      reference::content_loss(loss.data(), grad.data(), widened(features).data(),
                              widened(target).data(), size, scale, epilogue);
      const auto actual = run(held, features, target, size, scale, epilogue, offset, true,
                              GetParam().launch.template get<T>());
      EXPECT_TRUE(test::is_close(actual.loss, loss, loss_limit));
      EXPECT_TRUE(test::is_close(actual.grad, test::rounded<T>(grad), test::elementwise<T>));
    });
  });
}

}  // namespace
}  // namespace impasto::kernels::content_loss_device_test
