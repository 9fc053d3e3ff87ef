// SPDX-License-Identifier: MIT
#include <chrono>
#include <utility>

#include "host/engine/stylizer.hpp"

namespace impasto {
namespace {

/// Losses are looked at at least this often, so that NaN is noticed soon even when nobody asks.
constexpr std::int64_t check_every = 10;

}  // namespace

Ending run(Stylizer& stylizer, std::int64_t iterations, std::int64_t report_every,
           const std::function<bool(const Progress&)>& report) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  const auto seconds = [&] { return std::chrono::duration<double>(Clock::now() - start).count(); };

  Ending ending = Ending::finished;
  for (std::int64_t k = 0; k <= iterations; ++k) {
    const bool last = k == iterations;
    const bool reported = last || k % report_every == 0;
    if (!reported && k % check_every != 0) {
      stylizer.step();
      continue;
    }
    // A step computes the losses of picture k on its way to picture k + 1.
    stylizer.mark();
    if (!last) stylizer.step();
    Losses losses = last ? stylizer.evaluate() : stylizer.losses();
    if (!losses.finite()) {
      ending = Ending::diverged;
      break;
    }
    stylizer.confirm();
    if (reported && !report({k, seconds(), std::move(losses)}) && !last) {
      ending = Ending::stopped;
      break;
    }
  }
  stylizer.restore();
  return ending;
}

}  // namespace impasto
