// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "tests/kernels/lbfgs_problems.hpp"
#include "tests/support/cases.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/device_array.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::kernels::lbfgs_device_test {
namespace {

using test::DeviceArray;
using test::GuardedBuffer;

TEST(LbfgsDevice, TakesThePathOfPytorchAndEndsWhereItDoes) {
  std::vector<test::LbfgsProblem> problems = test::problems_that_end;
  for (const auto* problem :
       {&test::quadratic_problem, &test::picture_problem, &test::well_problem}) {
    problems.push_back(*problem);
  }
  for (const test::LbfgsProblem& one : problems) {
    const test::LbfgsProblem* const problem = &one;
    const MapSize& size = problem->size;
    const std::int64_t history = problem->options.history;
    DeviceArray<float> x(GuardedBuffer<float>(size.count(), static_cast<float>(problem->start)));
    DeviceArray<float> pairs(size.count() * lbfgs_vectors(history));
    DeviceArray<float> direction(size.count());
    DeviceArray<float> last(size.count());
    DeviceArray<double> state(test::zeros(lbfgs_state_values(history)));
    DeviceArray<double> workspace(lbfgs_workspace(size, history, 1));
    std::vector<double> slope(static_cast<std::size_t>(size.count()));
    DeviceArray<float> ended(2);
    const std::size_t more = problem->end == LbfgsEnd::none ? 0 : 3;  // where it stays
    for (std::size_t k = 0; k < problem->losses.size() + more; ++k) {
      const auto now = x.values();
      const double loss = problem->evaluate({now.begin(), now.end()}, slope);
      const double expected = problem->losses[std::min(k, problem->losses.size() - 1)];
      EXPECT_NEAR(loss, expected, 1e-4 * (1 + expected)) << k;
      DeviceArray<float> losses(GuardedBuffer<float>(1, static_cast<float>(loss)));
      GuardedBuffer<float> grad(size.count());
      for (std::size_t i = 0; i < slope.size(); ++i) grad[i] = static_cast<float>(slope[i]);
      DeviceArray<float> grad_x(grad);
      IMPASTO_DEVICE::lbfgs(x.data(), pairs.data(), direction.data(), last.data(), state.data(),
                            grad_x.data(), losses.data(), ended.data(), size, problem->options, {},
                            workspace.data(), nullptr);
      if (problem->end == LbfgsEnd::none || problem->options.call_steps > 0) continue;
      EXPECT_EQ(ended.values()[0] != 0, k + 1 >= problem->losses.size()) << k;
    }
    if (problem->end != LbfgsEnd::none) {
      EXPECT_EQ(ended.values()[0], static_cast<float>(problem->end));
    }
    const auto found = x.values();
    for (std::size_t i = 0; i < problem->x.size(); ++i) {
      EXPECT_NEAR(found[i], problem->x[i], 1e-4 * (1 + std::abs(problem->x[i]))) << i;
    }
  }
}

void expect_the_reference(const LbfgsOptions& options, float steepness = 0.2F) {
  for (const MapSize& size : {MapSize{1, 1, 1, 1}, MapSize{2, 5, 7, 3}, MapSize{3, 37, 41, 3}}) {
    SCOPED_TRACE(size);
    // So near the minimum that the first step is not shortened by Σ|g|: a tiny one would leave little
    // more of y in float than rounding.
    const auto start = test::gaussian<float>(size.count(), 1, 0, 1e-4);
    GuardedBuffer<double> expected = widened(start);
    GuardedBuffer<double> pairs(size.count() * lbfgs_vectors(2));
    GuardedBuffer<double> d(size.count());
    GuardedBuffer<double> last(size.count());
    auto state = test::zeros(size.batch * lbfgs_state_values(2));
    const auto slope = [steepness](auto& grad) {
      for (std::size_t i = 0; i < grad.size(); ++i) {
        grad[i] *= steepness * (1 + static_cast<float>(i % 5));
      }
    };
    for (int k = 0; k < 4; ++k) {
      GuardedBuffer<double> grad = expected;
      slope(grad);
      double loss[3] = {3.0 - k, 3.0, 3.0};
      double ended[6];
      reference::lbfgs(expected.data(), pairs.data(), d.data(), last.data(), state.data(),
                       grad.data(), loss, ended, size, options, {});
    }
    const auto found = test::under_every_schedule([&] {
      DeviceArray<float> x(start);
      DeviceArray<float> kept(size.count() * lbfgs_vectors(2));
      DeviceArray<float> direction(size.count());
      DeviceArray<float> last_grad(size.count());
      DeviceArray<double> scalars(test::zeros(size.batch * lbfgs_state_values(2)));
      DeviceArray<double> workspace(lbfgs_workspace(size, 2, 1));
      for (int k = 0; k < 4; ++k) {
        GuardedBuffer<float> grad = x.values();
        slope(grad);
        DeviceArray<float> grad_x(grad);
        GuardedBuffer<float> loss(3, 3.0F);
        loss[0] -= static_cast<float>(k);
        DeviceArray<float> losses(loss);
        DeviceArray<float> ended(6);
        IMPASTO_DEVICE::lbfgs(x.data(), kept.data(), direction.data(), last_grad.data(),
                              scalars.data(), grad_x.data(), losses.data(), ended.data(), size,
                              options, {}, workspace.data(), nullptr);
      }
      return x.values();
    });
    EXPECT_TRUE(test::is_close(found, expected, {2e-5, 2e-4}));
  }
}

TEST(LbfgsDevice, FollowsTheReferenceForEveryPictureOfABatchInAnyOrderOfThreads) {
  expect_the_reference({.learning_rate = 0.7, .history = 2, .unit = 0.25});
}

/// The loss of the first picture falls, that of the others stays: they end with their second evaluation.
TEST(LbfgsDevice, EndsWithSomePicturesOfABatchAndGoesOnWithOthers) {
  expect_the_reference({.learning_rate = 0.7, .history = 2, .tolerance_change = 1e-12});
}

TEST(LbfgsDevice, StepsNoFurtherThanItsReach) {
  expect_the_reference({.learning_rate = 0.7, .history = 2, .reach = 2e-5});
}

TEST(LbfgsDevice, TestsAndStepsNoFurtherThanItsReach) {
  expect_the_reference(
      {.learning_rate = 0.7, .history = 2, .reach = 2e-5, .tolerance_change = 1e-12});
}

TEST(LbfgsDevice, StepsAsFarAsItsReachWhereTheLossIsConcave) {
  expect_the_reference({.learning_rate = 0.7, .history = 2, .reach = 2e-5}, -1e-6F);
}

}  // namespace
}  // namespace impasto::kernels::lbfgs_device_test
