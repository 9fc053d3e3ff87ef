// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <vector>

#include "kernels/lbfgs/lbfgs.hpp"
#include "tests/kernels/lbfgs_golden.hpp"

namespace impasto::test {

/// A function that torch.optim.LBFGS minimised (lbfgs_golden.py), and what it went through.
struct LbfgsProblem {
  kernels::MapSize size;
  kernels::LbfgsOptions options;
  double start;
  const std::vector<double>& losses;
  const std::vector<double>& x;
  /// The loss at x, and its gradient.
  double (*evaluate)(const std::vector<double>& x, std::vector<double>& grad);
  /// What it ended with, at the last of these losses if a call was all.
  kernels::LbfgsEnd end = kernels::LbfgsEnd::none;
};

inline double bowl(const std::vector<double>& x, std::vector<double>& grad,
                   double (*steepness)(double i)) {
  double loss = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double a = steepness(static_cast<double>(i));
    const double distance = x[i] - static_cast<double>(i % 3);
    loss += 0.5 * a * distance * distance;
    grad[i] = a * distance;
  }
  return loss;
}

inline double quadratic(const std::vector<double>& x, std::vector<double>& grad) {
  return bowl(x, grad, [](double i) { return 1 + i; });
}
inline double steep(const std::vector<double>& x, std::vector<double>& grad) {
  return bowl(x, grad, [](double i) { return 1e4 * (1 + i); });
}
inline double round_bowl(const std::vector<double>& x, std::vector<double>& grad) {
  return bowl(x, grad, [](double) { return 3.0; });
}

inline double well(const std::vector<double>& x, std::vector<double>& grad) {
  double loss = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double distance = x[i] - static_cast<double>(i % 3);
    loss += std::log(1 + distance * distance);
    grad[i] = 2 * distance / (1 + distance * distance);
  }
  return loss;
}

inline double picture_loss(const std::vector<double>& x, std::vector<double>& grad) {
  constexpr std::size_t row = 21;
  double loss = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double distance = x[i] - 20 * static_cast<double>(i % 11);
    loss += std::sqrt(1 + distance * distance);
    grad[i] = distance / std::sqrt(1 + distance * distance);
  }
  const auto compare = [&](std::size_t i, std::size_t j) {
    loss += 0.2 * (x[i] - x[j]) * (x[i] - x[j]);
    grad[i] += 0.4 * (x[i] - x[j]);
    grad[j] -= 0.4 * (x[i] - x[j]);
  };
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (i + row < x.size()) compare(i, i + row);
    if (i % row + 3 < row) compare(i, i + 3);
  }
  return loss;
}

inline const LbfgsProblem quadratic_problem{{1, 1, 4, 3},
                                            {.learning_rate = 0.9, .history = 4},
                                            0,
                                            golden::quadratic_losses,
                                            golden::quadratic_x,
                                            quadratic};
inline const LbfgsProblem picture_problem{{1, 5, 7, 3},
                                          {.learning_rate = 1, .history = 6},
                                          100,
                                          golden::picture_losses,
                                          golden::picture_x,
                                          picture_loss};

/// Far out, where the function is concave and no pair is kept.
inline const LbfgsProblem well_problem{
    {1, 1, 4, 3}, {.learning_rate = 0.5, .history = 4}, 6, golden::well_losses, golden::well_x,
    well};

/// Each ends by another test.
inline const std::vector<LbfgsProblem> problems_that_end = {
    {{1, 1, 4, 3},
     {.history = 4, .tolerance_grad = 1e-3},
     0,
     golden::to_gradient_losses,
     golden::to_gradient_x,
     quadratic,
     kernels::LbfgsEnd::gradient},
    {{1, 1, 4, 3},
     {.history = 4, .tolerance_change = 1e-3},
     0,
     golden::to_slope_losses,
     golden::to_slope_x,
     round_bowl,
     kernels::LbfgsEnd::slope},
    {{1, 1, 4, 3},
     {.history = 4, .tolerance_change = 1e-2},
     0,
     golden::to_step_losses,
     golden::to_step_x,
     steep,
     kernels::LbfgsEnd::step},
    {{1, 1, 4, 3},
     {.history = 4, .tolerance_change = 1e-2},
     0,
     golden::to_loss_losses,
     golden::to_loss_x,
     quadratic,
     kernels::LbfgsEnd::loss},
    {{1, 5, 7, 3},
     {.history = 6, .tolerance_grad = 1e-4, .tolerance_change = 0.5, .call_steps = 5},
     100,
     golden::calls_losses,
     golden::calls_x,
     picture_loss,
     kernels::LbfgsEnd::slope}};

}  // namespace impasto::test
