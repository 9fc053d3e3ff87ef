// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/lbfgs/lbfgs.hpp"

namespace impasto::kernels::reference {
namespace {

double dot(const double* a, const double* b, std::int64_t count) {
  double sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum += a[i] * b[i];
  return sum;
}

/// y += a·x
void add(double* y, double a, const double* x, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] += a * x[i];
}

double largest(const double* values, std::int64_t count) {
  double most = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    if (!(std::abs(values[i]) <= most)) most = std::abs(values[i]);  // or it is no number
  }
  return most;
}

/// One picture, of `count` values.
void step(double* pixels, double* pairs, double* direction, double* last_grad, LbfgsHeader& state,
          const double* grad, double loss, std::int64_t count, const LbfgsOptions& options,
          const LbfgsParts& parts) {
  const std::int64_t slots = options.history + 1;
  const auto s_of = [&](std::int64_t slot) { return pairs + slot * count; };
  const auto y_of = [&](std::int64_t slot) { return pairs + (slots + slot) * count; };

  const auto sum = [&](double own) { return lbfgs_sum(parts, own); };
  const auto product = [&](const double* a, const double* b) { return sum(dot(a, b, count)); };

  std::vector<double> g(grad, grad + count);
  for (double& value : g) value /= options.gradient_scale;
  if (options.tests()) {
    const double last_step =
        state.stepped == 0 ? 0 : options.unit * std::abs(state.length) * largest(direction, count);
    const double slope = largest(g.data(), count) / options.unit;
    const auto everywhere = [&](bool here) { return sum(here ? 0 : 1) == 0; };
    const bool small_step = everywhere(last_step <= options.tolerance_change);
    lbfgs_test(state, options, everywhere(slope <= options.tolerance_grad), small_step, loss);
    if (state.resting != 0) return;
  }
  if (state.stepped != 0) {
    const auto next = static_cast<std::int64_t>(state.next);
    for (std::int64_t i = 0; i < count; ++i) {
      s_of(next)[i] = state.length * direction[i];
      y_of(next)[i] = g[static_cast<std::size_t>(i)] - last_grad[i];
    }
    const double curvature = product(y_of(next), s_of(next));
    if (curvature > lbfgs_least_curvature) {
      state.pairs = std::min(state.pairs + 1, static_cast<double>(options.history));
      state.next = static_cast<double>((next + 1) % slots);
      state.inverse_curvature = curvature / product(y_of(next), y_of(next));
    }
  }
  std::ranges::copy(g, last_grad);

  // The two loops: from the newest pair to the oldest and back.
  for (std::int64_t i = 0; i < count; ++i) direction[i] = -g[static_cast<std::size_t>(i)];
  const auto kept = static_cast<std::int64_t>(state.pairs);
  const auto slot_of = [&](std::int64_t age) {
    return (static_cast<std::int64_t>(state.next) - 1 - age + 2 * slots) % slots;
  };
  std::vector<double> alpha(static_cast<std::size_t>(kept));
  const auto curvature_of = [&](std::int64_t slot) { return product(y_of(slot), s_of(slot)); };
  for (std::int64_t age = 0; age < kept; ++age) {
    const std::int64_t slot = slot_of(age);
    const double a = product(s_of(slot), direction) / curvature_of(slot);
    add(direction, -a, y_of(slot), count);
    alpha[static_cast<std::size_t>(age)] = a;
  }
  if (kept > 0) {
    for (std::int64_t i = 0; i < count; ++i) direction[i] *= state.inverse_curvature;
  }
  for (std::int64_t age = kept - 1; age >= 0; --age) {
    const std::int64_t slot = slot_of(age);
    const double b = product(y_of(slot), direction) / curvature_of(slot);
    add(direction, alpha[static_cast<std::size_t>(age)] - b, s_of(slot), count);
  }

  if (options.tests() && lbfgs_is_flat(options, product(g.data(), direction), kept > 0)) {
    lbfgs_ends(state, LbfgsEnd::slope);
    return;
  }
  double magnitude = 0;
  for (const double value : g) magnitude += std::abs(value);
  magnitude = sum(magnitude);
  state.length = options.learning_rate;
  if (kept == 0) state.length *= lbfgs_first_factor(options.unit, magnitude, state.stepped != 0);
  const double norm = std::sqrt(product(direction, direction));
  if (options.reach > 0 && norm > 0) {
    const double limit = options.reach * std::sqrt(sum(static_cast<double>(count))) / norm;
    state.length = kept > 0 ? std::min(options.learning_rate, limit) : limit;
  }
  state.stepped = 1;
  add(pixels, state.length, direction, count);
}

}  // namespace

void lbfgs(double* pixels, double* pairs, double* direction, double* last_grad, double* state,
           const double* grad, const double* loss, double* ended, const MapSize& size,
           const LbfgsOptions& options, const LbfgsParts& parts) {
  const std::int64_t count = size.per_image();
  for (std::int64_t n = 0; n < size.batch; ++n) {
    auto& header = *reinterpret_cast<LbfgsHeader*>(state + n * lbfgs_state_values(options.history));
    step(pixels + n * count, pairs + n * lbfgs_vectors(options.history) * count,
         direction + n * count, last_grad + n * count, header, grad + n * count,
         options.tests() ? loss[n] : 0, count, options, parts);
    if (!options.tests()) continue;
    ended[2 * n] = header.end;
    ended[2 * n + 1] = header.ended_at;
  }
}

}  // namespace impasto::kernels::reference
