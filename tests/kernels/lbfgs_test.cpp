// SPDX-License-Identifier: MIT
#include "kernels/lbfgs/lbfgs.hpp"

#include <algorithm>
#include <barrier>
#include <gtest/gtest.h>
#include <limits>
#include <omp.h>
#include <thread>

#include "tests/kernels/lbfgs_problems.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/guarded_buffer.hpp"
#include "tests/support/random_fill.hpp"

namespace impasto::kernels::lbfgs_kernel_test {
namespace {

using test::GuardedBuffer;
using test::LbfgsProblem;

void step(GuardedBuffer<double>& x, GuardedBuffer<double>& pairs, GuardedBuffer<double>& d,
          GuardedBuffer<double>& last, GuardedBuffer<double>& state,
          const GuardedBuffer<double>& grad, const MapSize& size, const LbfgsOptions& options,
          const double* loss = nullptr, double* ended = nullptr, const LbfgsParts& parts = {}) {
  reference::lbfgs(x.data(), pairs.data(), d.data(), last.data(), state.data(), grad.data(), loss,
                   ended, size, options, parts);
}
void step(GuardedBuffer<float>& x, GuardedBuffer<float>& pairs, GuardedBuffer<float>& d,
          GuardedBuffer<float>& last, GuardedBuffer<double>& state,
          const GuardedBuffer<float>& grad, const MapSize& size, const LbfgsOptions& options,
          const float* loss = nullptr, float* ended = nullptr, const LbfgsParts& parts = {}) {
  cpu::lbfgs(x.data(), pairs.data(), d.data(), last.data(), state.data(), grad.data(), loss, ended,
             size, options, parts);
}

/// Minimises it and expects what PyTorch went through, beside a picture whose gradient is twice as
/// large: it must not be seen. What PyTorch optimises is `unit` times x.
template <class T>
void expect_the_iterates_of_pytorch(LbfgsProblem problem, double tolerance, double unit = 1) {
  problem.options.unit = unit;
  MapSize size = problem.size;
  const auto count = static_cast<std::size_t>(size.per_image());
  size.batch = 2;
  GuardedBuffer<T> x(size.count(), static_cast<T>(problem.start / unit));
  GuardedBuffer<T> pairs(size.count() * lbfgs_vectors(problem.options.history));
  GuardedBuffer<T> d(size.count());
  GuardedBuffer<T> last(size.count());
  GuardedBuffer<T> grad(size.count());
  auto state = test::zeros(2 * lbfgs_state_values(problem.options.history));
  std::vector<double> here(count);
  std::vector<double> slope(count);
  GuardedBuffer<T> losses(2);
  GuardedBuffer<T> ended(4);
  // One that has ended stays there.
  const std::size_t evaluations = problem.losses.size() + (problem.end == LbfgsEnd::none ? 0 : 3);
  for (std::size_t k = 0; k < evaluations; ++k) {
    for (std::size_t n = 0; n < 2; ++n) {
      for (std::size_t i = 0; i < count; ++i)
        here[i] = unit * static_cast<double>(x[n * count + i]);
      const double loss = problem.evaluate(here, slope);
      losses[n] = static_cast<T>(loss);
      if (n == 0) {
        const double expected = problem.losses[std::min(k, problem.losses.size() - 1)];
        EXPECT_NEAR(loss, expected, tolerance * (1 + expected)) << k;
      }
      for (std::size_t i = 0; i < count; ++i) {
        grad[n * count + i] = static_cast<T>((n == 0 ? unit : 2 * unit) * slope[i]);
      }
    }
    step(x, pairs, d, last, state, grad, size, problem.options, losses.data(), ended.data());
    if (problem.end == LbfgsEnd::none) continue;
    const bool at_end = k + 1 >= problem.losses.size();
    if (at_end || problem.options.call_steps == 0) {
      EXPECT_EQ(ended[0], static_cast<T>(at_end ? problem.end : LbfgsEnd::none)) << k;
    }
    if (at_end && problem.options.call_steps == 0) {
      EXPECT_EQ(ended[1], static_cast<T>(problem.losses.size() - 1));
    }
  }
  for (std::size_t i = 0; i < count; ++i) {
    EXPECT_NEAR(unit * static_cast<double>(x[i]), problem.x[i],
                tolerance * (1 + std::abs(problem.x[i])))
        << i;
  }
}

TEST(Lbfgs, TheReferenceTakesThePathOfPytorchDownAQuadratic) {
  expect_the_iterates_of_pytorch<double>(test::quadratic_problem, 1e-6);
}

TEST(Lbfgs, TheReferenceTakesThePathOfPytorchOnASmallPicture) {
  expect_the_iterates_of_pytorch<double>(test::picture_problem, 1e-9);
}

TEST(Lbfgs, TheCpuTakesThePathOfPytorch) {
  expect_the_iterates_of_pytorch<float>(test::quadratic_problem, 1e-6);
  expect_the_iterates_of_pytorch<float>(test::picture_problem, 1e-4);
}

TEST(Lbfgs, TakesThePathOfPytorchWhateverUnitPytorchOptimisesIn) {
  for (const double unit : {1 / 255.0, 256 / 255.0}) {
    expect_the_iterates_of_pytorch<double>(test::quadratic_problem, 1e-6, unit);
    expect_the_iterates_of_pytorch<float>(test::picture_problem, 1e-4, unit);
  }
}

TEST(Lbfgs, TakesThePathOfPytorchWhereNoPairIsKept) {
  for (const double unit : {1.0, 1 / 255.0, 256 / 255.0}) {
    expect_the_iterates_of_pytorch<double>(test::well_problem, 1e-6, unit);
    expect_the_iterates_of_pytorch<float>(test::well_problem, 1e-4, unit);
  }
}

TEST(Lbfgs, EndsWhereAndWhyPytorchDoesAndStaysThere) {
  for (const LbfgsProblem& problem : test::problems_that_end) {
    SCOPED_TRACE(testing::Message() << "end " << static_cast<int>(problem.end));
    for (const double unit : {1.0, 1 / 255.0}) {
      expect_the_iterates_of_pytorch<double>(problem, 1e-6, unit);
      expect_the_iterates_of_pytorch<float>(problem, 1e-4, unit);
    }
  }
}

/// Values of a picture that a thread of its own moves.
template <class T>
struct Part {
  Part(std::int64_t begin, std::int64_t count, const LbfgsProblem& problem)
      : first(begin),
        size{1, 1, 1, count},
        x(count, static_cast<T>(problem.start)),
        pairs(count * lbfgs_vectors(problem.options.history)),
        d(count),
        last(count),
        grad(count),
        state(test::zeros(lbfgs_state_values(problem.options.history))) {}

  std::int64_t first;
  MapSize size;
  GuardedBuffer<T> x;
  GuardedBuffer<T> pairs;
  GuardedBuffer<T> d;
  GuardedBuffer<T> last;
  GuardedBuffer<T> grad;
  GuardedBuffer<double> state;
  GuardedBuffer<T> ended = GuardedBuffer<T>(2);
};

template <class T>
void expect_the_iterates_of_pytorch_from_parts(const LbfgsProblem& problem, double tolerance) {
  const std::int64_t all = problem.size.count();
  std::vector<Part<T>> parts;
  parts.emplace_back(0, all / 2 + 1, problem);
  parts.emplace_back(all / 2 + 1, all / 4, problem);
  parts.emplace_back(all / 2 + 1 + all / 4, all - all / 2 - 1 - all / 4, problem);
  std::vector<double> x(static_cast<std::size_t>(all), problem.start);
  std::vector<double> slope(x.size());
  std::barrier meet(std::ssize(parts));
  std::vector<double> board(parts.size());
  const std::size_t evaluations = problem.losses.size() + (problem.end == LbfgsEnd::none ? 0 : 3);
  for (std::size_t k = 0; k < evaluations; ++k) {
    const GuardedBuffer<T> loss(1, static_cast<T>(problem.evaluate(x, slope)));
    const auto move = [&](std::size_t p) {
      Part<T>& part = parts[p];
      for (std::size_t i = 0; i < part.grad.size(); ++i) {
        part.grad[i] = static_cast<T>(slope[static_cast<std::size_t>(part.first) + i]);
      }
      const auto gather = [&](double* sums, std::int64_t values) {
        EXPECT_EQ(values, 1);
        board[p] = sums[p];
        meet.arrive_and_wait();
        std::ranges::copy(board, sums);
        meet.arrive_and_wait();
      };
      step(part.x, part.pairs, part.d, part.last, part.state, part.grad, part.size, problem.options,
           loss.data(), part.ended.data(),
           {.count = std::ssize(parts), .own = static_cast<std::int64_t>(p), .gather = gather});
    };
    std::vector<std::thread> threads;
    for (std::size_t p = 0; p < parts.size(); ++p) threads.emplace_back(move, p);
    for (std::thread& thread : threads) thread.join();
    for (const Part<T>& part : parts) {
      std::copy(part.x.begin(), part.x.end(), x.begin() + part.first);
    }
  }
  for (const Part<T>& part : parts) {
    if (problem.end == LbfgsEnd::none) continue;
    EXPECT_EQ(part.ended[0], static_cast<T>(problem.end));
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    EXPECT_NEAR(x[i], problem.x[i], tolerance * (1 + std::abs(problem.x[i]))) << i;
  }
}

TEST(Lbfgs, TakesThePathOfPytorchWhereThreadsMoveAPartOfThePictureEach) {
  std::vector<LbfgsProblem> problems = test::problems_that_end;
  for (const auto* problem :
       {&test::quadratic_problem, &test::picture_problem, &test::well_problem}) {
    problems.push_back(*problem);
  }
  for (const LbfgsProblem& problem : problems) {
    SCOPED_TRACE(testing::Message() << "end " << static_cast<int>(problem.end));
    expect_the_iterates_of_pytorch_from_parts<double>(problem, 1e-6);
    expect_the_iterates_of_pytorch_from_parts<float>(problem, 1e-4);
  }
}

/// No comparison with a number that is none may end a run: the loss tells.
template <class T>
void expect_no_end_where_something_is_no_number() {
  const MapSize size{1, 2, 2, 3};
  const LbfgsOptions options{.history = 2, .tolerance_grad = 1, .tolerance_change = 1e9};
  GuardedBuffer<T> x(size.count(), T{1});
  GuardedBuffer<T> pairs(size.count() * lbfgs_vectors(2));
  GuardedBuffer<T> d(size.count());
  GuardedBuffer<T> last(size.count());
  GuardedBuffer<T> grad(size.count());
  auto state = test::zeros(lbfgs_state_values(2));
  grad[5] = std::numeric_limits<T>::quiet_NaN();
  GuardedBuffer<T> ended(2);
  for (int k = 0; k < 3; ++k) {
    GuardedBuffer<T> loss(1, std::numeric_limits<T>::quiet_NaN());
    step(x, pairs, d, last, state, grad, size, options, loss.data(), ended.data());
    EXPECT_EQ(ended[0], T{0}) << k;
  }
}

TEST(Lbfgs, GoesOnWhereSomethingIsNoNumber) {
  expect_no_end_where_something_is_no_number<double>();
  expect_no_end_where_something_is_no_number<float>();
}

TEST(Lbfgs, TestsNoSlopeWithoutATolerance) {
  for (const bool has_pairs : {false, true}) {
    EXPECT_FALSE(lbfgs_is_flat({.tolerance_grad = 1e-3}, 5, has_pairs));
    EXPECT_TRUE(lbfgs_is_flat({.tolerance_change = 0}, 5, has_pairs));
    EXPECT_FALSE(lbfgs_is_flat({.tolerance_change = 0}, -5, has_pairs));
  }
}

TEST(Lbfgs, AGradientThatIsScaledGivesTheSameStep) {
  const MapSize size{1, 3, 5, 3};
  const auto grad = test::gaussian(size.count(), 1);
  std::vector<GuardedBuffer<double>> found;
  for (const double scale : {1.0, 64.0}) {
    found.push_back(test::gaussian(size.count(), 2));
    GuardedBuffer<double> scaled = grad;
    for (double& value : scaled) value *= scale;
    GuardedBuffer<double> pairs(size.count() * lbfgs_vectors(2));
    GuardedBuffer<double> d(size.count());
    GuardedBuffer<double> last(size.count());
    auto state = test::zeros(lbfgs_state_values(2));
    step(found.back(), pairs, d, last, state, scaled, size,
         {.history = 2, .gradient_scale = scale});
  }
  EXPECT_TRUE(test::same_bits(found[0], found[1]));
}

/// The root mean square of each step down a slope that is steeper by the value.
template <class T>
std::vector<double> lengths_of_steps(const LbfgsOptions& options) {
  const MapSize size{1, 4, 5, 3};
  const std::int64_t count = size.count();
  GuardedBuffer<T> x(count, T{50});
  GuardedBuffer<T> pairs(count * lbfgs_vectors(options.history));
  GuardedBuffer<T> d(count);
  GuardedBuffer<T> last(count);
  auto state = test::zeros(lbfgs_state_values(options.history));
  std::vector<double> lengths;
  for (int k = 0; k < 30; ++k) {
    const GuardedBuffer<T> before = x;
    GuardedBuffer<T> grad = x;
    for (std::size_t i = 0; i < grad.size(); ++i) grad[i] *= T{1e-9F} * static_cast<T>(1 + i % 7);
    step(x, pairs, d, last, state, grad, size, options);
    double sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      sum += std::pow(static_cast<double>(x[i]) - static_cast<double>(before[i]), 2);
    }
    lengths.push_back(std::sqrt(sum / static_cast<double>(count)));
  }
  return lengths;
}

template <class T>
void expect_steps_within_reach() {
  const std::vector<double> lengths = lengths_of_steps<T>({.history = 5, .reach = 3});
  EXPECT_NEAR(lengths.front(), 3, 1e-4);
  for (const double length : lengths) EXPECT_LE(length, 3 + 1e-4);
  EXPECT_LT(lengths.back(), 0.1);  // it arrives
}

TEST(Lbfgs, StepsNoFurtherThanItsReachAndThatFarAtFirst) {
  expect_steps_within_reach<double>();
  expect_steps_within_reach<float>();
  // PyTorch's rule gets nowhere on a slope as gentle as this.
  EXPECT_LT(lengths_of_steps<double>({.history = 5}).back(), 1e-5);
}

/// Down a slope that grows steeper, as a loss does far from its minimum: no pair is kept.
template <class T>
void expect_steps_of_its_reach_where_the_loss_is_concave() {
  const MapSize size{1, 4, 5, 3};
  GuardedBuffer<T> x(size.count(), T{1});
  GuardedBuffer<T> pairs(size.count() * lbfgs_vectors(5));
  GuardedBuffer<T> d(size.count());
  GuardedBuffer<T> last(size.count());
  auto state = test::zeros(lbfgs_state_values(5));
  for (int k = 1; k <= 10; ++k) {
    GuardedBuffer<T> grad = x;
    for (T& value : grad) value *= T{-1e-6F};
    step(x, pairs, d, last, state, grad, size, {.history = 5, .reach = 3});
    for (const T value : x) EXPECT_NEAR(static_cast<double>(value), 1 + 3 * k, 1e-3);
  }
}

TEST(Lbfgs, StepsAsFarAsItsReachWhereTheLossIsConcave) {
  expect_steps_of_its_reach_where_the_loss_is_concave<double>();
  expect_steps_of_its_reach_where_the_loss_is_concave<float>();
}

TEST(Lbfgs, OnOneThreadAndTwoHasTheSameBits) {
  const MapSize size{1, 67, 51, 3};
  const int threads = omp_get_max_threads();
  std::vector<GuardedBuffer<float>> found;
  for (const int count : {1, 2}) {
    omp_set_num_threads(count);
    GuardedBuffer<float> x = test::gaussian<float>(size.count(), 1);
    GuardedBuffer<float> pairs(size.count() * lbfgs_vectors(3));
    GuardedBuffer<float> d(size.count());
    GuardedBuffer<float> last(size.count());
    auto state = test::zeros(lbfgs_state_values(3));
    for (int k = 0; k < 4; ++k) {
      GuardedBuffer<float> grad = x;
      for (std::size_t i = 0; i < grad.size(); ++i) grad[i] *= 1 + static_cast<float>(i % 5);
      step(x, pairs, d, last, state, grad, size, {.learning_rate = 0.5, .history = 3});
    }
    found.push_back(x);
  }
  omp_set_num_threads(threads);
  EXPECT_TRUE(test::same_bits(found[0], found[1]));
}

}  // namespace
}  // namespace impasto::kernels::lbfgs_kernel_test
