// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/common/parallel.hpp"
#include "kernels/lbfgs/lbfgs.hpp"

namespace impasto::kernels::cpu {
namespace {

/// Σ term(i), in double and in a fixed order.
template <class Term>
double sum_of(std::int64_t count, Term term) {
  return ordered_sum(count, [&](std::int64_t begin, std::int64_t end) {
    double sum = 0;
    for (std::int64_t i = begin; i < end; ++i) sum += term(i);
    return sum;
  });
}

double dot(const float* a, const float* b, std::int64_t count) {
  return sum_of(
      count, [=](std::int64_t i) { return static_cast<double>(a[i]) * static_cast<double>(b[i]); });
}

template <class Change>
void for_each(std::int64_t count, Change change) {
#pragma omp parallel for simd schedule(static) if (parallel : count >= min_parallel)
  for (std::int64_t i = 0; i < count; ++i) change(i);
}

double count_above(const float* values, double factor, double limit, std::int64_t count) {
  return sum_of(count, [=](std::int64_t i) {
    return std::abs(factor * static_cast<double>(values[i])) <= limit ? 0 : 1;
  });
}

/// One picture, of `count` values. The two loops as they stand: each pass over a vector also waits
/// for its sum, but a picture is small beside the feature maps of its iteration.
void step(float* pixels, float* pairs, float* direction, float* last_grad, LbfgsHeader& state,
          const float* grad, double loss, std::int64_t count, const LbfgsOptions& options,
          const LbfgsParts& parts) {
  const std::int64_t slots = options.history + 1;
  const auto s_of = [&](std::int64_t slot) { return pairs + slot * count; };
  const auto y_of = [&](std::int64_t slot) { return pairs + (slots + slot) * count; };
  const auto unscale = static_cast<float>(1 / options.gradient_scale);
  const auto sum = [&](double own) { return lbfgs_sum(parts, own); };
  const auto product = [&](const float* a, const float* b) { return sum(dot(a, b, count)); };

  if (options.tests()) {
    const double u = options.unit;
    const auto within = [&](const float* values, double factor, double limit) {
      return sum(count_above(values, factor, limit, count)) == 0;
    };
    const bool small_step =
        state.stepped == 0 || within(direction, u * state.length, options.tolerance_change);
    lbfgs_test(state, options,
               within(grad, 1 / (options.gradient_scale * u), options.tolerance_grad), small_step,
               loss);
    if (state.resting != 0) return;
  }
  if (state.stepped != 0) {
    const auto next = static_cast<std::int64_t>(state.next);
    float* s = s_of(next);
    float* y = y_of(next);
    const auto length = static_cast<float>(state.length);
    for_each(count, [=](std::int64_t i) {
      s[i] = length * direction[i];
      y[i] = unscale * grad[i] - last_grad[i];
    });
    const double curvature = product(y, s);
    if (curvature > lbfgs_least_curvature) {
      state.pairs = std::min(state.pairs + 1, static_cast<double>(options.history));
      state.next = static_cast<double>((next + 1) % slots);
      state.inverse_curvature = curvature / product(y, y);
    }
  }
  for_each(count, [=](std::int64_t i) {
    last_grad[i] = unscale * grad[i];
    direction[i] = -last_grad[i];
  });

  const auto kept = static_cast<std::int64_t>(state.pairs);
  const auto slot_of = [&](std::int64_t age) {
    return (static_cast<std::int64_t>(state.next) - 1 - age + 2 * slots) % slots;
  };
  const auto add = [=](double a, const float* x) {
    const auto factor = static_cast<float>(a);
    for_each(count, [=](std::int64_t i) { direction[i] += factor * x[i]; });
  };
  std::vector<double> alpha(static_cast<std::size_t>(kept));
  std::vector<double> curvature(static_cast<std::size_t>(kept));
  for (std::int64_t age = 0; age < kept; ++age) {
    const std::int64_t slot = slot_of(age);
    const auto k = static_cast<std::size_t>(age);
    curvature[k] = product(y_of(slot), s_of(slot));
    alpha[k] = product(s_of(slot), direction) / curvature[k];
    add(-alpha[k], y_of(slot));
  }
  if (kept > 0) {
    const auto h = static_cast<float>(state.inverse_curvature);
    for_each(count, [=](std::int64_t i) { direction[i] *= h; });
  }
  for (std::int64_t age = kept - 1; age >= 0; --age) {
    const std::int64_t slot = slot_of(age);
    const auto k = static_cast<std::size_t>(age);
    add(alpha[k] - product(y_of(slot), direction) / curvature[k], s_of(slot));
  }

  if (options.tests() && lbfgs_is_flat(options, product(last_grad, direction), kept > 0)) {
    lbfgs_ends(state, LbfgsEnd::slope);
    return;
  }
  state.length = options.learning_rate;
  if (kept == 0) {
    const double magnitude = sum(
        sum_of(count, [=](std::int64_t i) { return std::abs(static_cast<double>(last_grad[i])); }));
    state.length *= lbfgs_first_factor(options.unit, magnitude, state.stepped != 0);
  }
  if (options.reach > 0) {
    const double norm = std::sqrt(product(direction, direction));
    const double limit = options.reach * std::sqrt(sum(static_cast<double>(count))) / norm;
    if (norm > 0) state.length = kept > 0 ? std::min(options.learning_rate, limit) : limit;
  }
  state.stepped = 1;
  const auto length = static_cast<float>(state.length);
  for_each(count, [=](std::int64_t i) { pixels[i] += length * direction[i]; });
}

}  // namespace

void lbfgs(float* pixels, float* pairs, float* direction, float* last_grad, double* state,
           const float* grad, const float* loss, float* ended, const MapSize& size,
           const LbfgsOptions& options, const LbfgsParts& parts) {
  const std::int64_t count = size.per_image();
  for (std::int64_t n = 0; n < size.batch; ++n) {
    auto& header = *reinterpret_cast<LbfgsHeader*>(state + n * lbfgs_state_values(options.history));
    step(pixels + n * count, pairs + n * lbfgs_vectors(options.history) * count,
         direction + n * count, last_grad + n * count, header, grad + n * count,
         options.tests() ? static_cast<double>(loss[n]) : 0, count, options, parts);
    if (!options.tests()) continue;
    ended[2 * n] = static_cast<float>(header.end);
    ended[2 * n + 1] = static_cast<float>(header.ended_at);
  }
}

}  // namespace impasto::kernels::cpu
