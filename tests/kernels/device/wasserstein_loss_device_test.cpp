// SPDX-License-Identifier: MIT
#include <cmath>
#include <gtest/gtest.h>

#include "kernels/style_backward/style_backward.hpp"
#include "kernels/wasserstein_loss/wasserstein_loss.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/device_array.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::kernels::wasserstein_loss_device_test {
namespace {

using test::DeviceArray;
using test::GuardedBuffer;

/// Symmetric matrices with eigenvalues from about 1 to 3.
GuardedBuffer<float> definite(std::int64_t batch, std::int64_t channels, unsigned seed) {
  const auto C = static_cast<std::size_t>(channels);
  const double scale = 0.5 / std::sqrt(static_cast<double>(channels));
  auto values = test::gaussian<float>(batch * channels * channels, seed, 0, scale);
  for (std::size_t n = 0; n < values.size(); n += C * C) {
    for (std::size_t i = 0; i < C; ++i) {
      for (std::size_t j = 0; j < i; ++j) values[n + i * C + j] = values[n + j * C + i];
      values[n + i * (C + 1)] += 2;
    }
  }
  return values;
}

/// By our kernel.
IMPASTO_DEVICE::MatrixProduct product(std::int64_t channels) {
  return [channels](float* c, const float* a, const float* b, std::int64_t images) {
    IMPASTO_DEVICE::style_backward(c, a, b, {images, 1, channels, channels}, {}, Arithmetic::fp32,
                                   nullptr, nullptr);
  };
}

// Each of 24 iterations rounds, and the loss is a difference of traces.
constexpr test::ErrorLimit limit{1e-5, 1e-4};

TEST(WassersteinLossDevice, TheRootMatchesTheReference) {
  for (const std::int64_t C : {1, 3, 17, 64}) {
    SCOPED_TRACE(C);
    const auto second_moment = definite(1, C, 1);
    const auto means = test::gaussian<float>(C, 2, 0, 0.05);
    GuardedBuffer<double> expected(C * C);
    reference::covariance_root(expected.data(), widened(second_moment).data(),
                               widened(means).data(), C);
    const auto found = test::under_every_schedule([&] {
      DeviceArray<float> from(second_moment);
      DeviceArray<float> of(means);
      DeviceArray<float> root(C * C);
      DeviceArray<float> workspace(wasserstein_workspace(1, C));
      IMPASTO_DEVICE::covariance_root(root.data(), from.data(), of.data(), C, product(C),
                                      workspace.data(), nullptr);
      return root.values();
    });
    EXPECT_TRUE(test::is_close(found, expected, limit));
  }
}

TEST(WassersteinLossDevice, LossMatrixAndCoefficientsMatchTheReferenceInPlaceAndNot) {
  const WassersteinScale scale{.moment = 0.5, .mean = 0.7, .loss = 0.25, .gradient = 0.1};
  for (const std::int64_t C : {1, 3, 17, 64}) {
    for (const std::int64_t batch : {1, 3}) {
      if (batch * C > 64) continue;  // the machine is slow
      SCOPED_TRACE(testing::Message() << batch << " images of " << C << " channels");
      const auto gram = definite(batch, C, 1);
      const auto statistics = test::gaussian<float>(2 * batch * C, 2, 0, 0.05);
      const auto wanted_means = test::gaussian<float>(C, 3, 0, 0.05);
      const auto wanted_moment = definite(1, C, 4);
      const auto wanted_root = definite(1, C, 5);
      GuardedBuffer<double> loss(batch);
      GuardedBuffer<double> matrix(batch * C * C);
      GuardedBuffer<double> coefficients(2 * batch * C);
      const auto means = widened(wanted_means);
      const auto moment = widened(wanted_moment);
      const auto root = widened(wanted_root);
      reference::wasserstein_loss(loss.data(), matrix.data(), coefficients.data(),
                                  widened(gram).data(), widened(statistics).data(),
                                  {means.data(), moment.data(), root.data()}, batch, C, scale);
      for (const bool in_place : {false, true}) {
        GuardedBuffer<float> losses(batch);
        GuardedBuffer<float> found_coefficients(2 * batch * C);
        const auto found = test::under_every_schedule([&] {
          DeviceArray<float> from(gram);
          DeviceArray<float> own(batch * C * C);
          DeviceArray<float>& to = in_place ? from : own;
          DeviceArray<float> of(statistics);
          DeviceArray<float> a(2 * batch * C);
          DeviceArray<float> sums(batch);
          DeviceArray<float> target_means(wanted_means);
          DeviceArray<float> target_moment(wanted_moment);
          DeviceArray<float> target_root(wanted_root);
          DeviceArray<float> workspace(wasserstein_workspace(batch, C));
          IMPASTO_DEVICE::wasserstein_loss(
              sums.data(), to.data(), a.data(), from.data(), of.data(),
              {target_means.data(), target_moment.data(), target_root.data()}, batch, C, scale,
              product(C), workspace.data(), nullptr);
          losses = sums.values();
          found_coefficients = a.values();
          return to.values();
        });
        EXPECT_TRUE(test::is_close(losses, loss, limit));
        EXPECT_TRUE(test::is_close(found, matrix, limit));
        EXPECT_TRUE(test::is_close(found_coefficients, coefficients, limit));
      }
    }
  }
}

}  // namespace
}  // namespace impasto::kernels::wasserstein_loss_device_test
