// SPDX-License-Identifier: MIT
#include "host/engine/run.hpp"

#include <algorithm>
#include <chrono>
#include <deque>
#include <limits>
#include <utility>

#include "host/core/error.hpp"

namespace impasto {
namespace {

/// Losses are looked at at least this often, so that NaN is noticed soon even when nobody asks.
constexpr std::int64_t check_every = 10;

}  // namespace

LookAhead::LookAhead(Stylizer& stylizer, bool resumed)
    : stylizer_(stylizer), backend_(stylizer.session().backend()) {
  for (auto& readback : readbacks_) {
    readback = backend_.make_readback(stylizer.plan().losses().shape.count());
  }
  if (!resumed) stylizer.show(stylizer.plan().kept(good_));
}

void LookAhead::watch(const std::function<void()>& pass) {
  require(watched_ < most_watched, "too many pictures are watched");
  const std::size_t place = behind_good(++watched_);
  stylizer_.show(stylizer_.plan().kept(place));
  pass();
  readbacks_[place]->start(stylizer_.plan().losses());
}

void LookAhead::step() {
  watch([this] { stylizer_.step(); });
}

void LookAhead::evaluate() {
  watch([this] { stylizer_.enqueue_evaluation(); });
}

bool LookAhead::arrived() const { return watched_ > 0 && readbacks_[behind_good(1)]->arrived(); }

std::vector<Losses> LookAhead::collect() {
  require(watched_ > 0, "nothing is watched");
  const std::size_t oldest = behind_good(1);
  std::vector<Losses> losses = stylizer_.plan().named(readbacks_[oldest]->values());
  if (all_finite(losses)) {
    good_ = oldest;
    --watched_;
  }
  return losses;
}

Image LookAhead::good_image(std::int64_t n) const {
  return read_picture(backend_, stylizer_.plan().kept(good_), n);
}

void LookAhead::good_is_best(std::int64_t n) {
  backend_.copy(image_of(stylizer_.plan().best(), n), image_of(stylizer_.plan().kept(good_), n));
}

void LookAhead::settle() {
  require(watched_ == 0, "losses are under way");
  if (good_ != 0) backend_.copy(stylizer_.plan().kept(0), stylizer_.plan().kept(good_));
  good_ = 0;
}

void LookAhead::restore() {
  watched_ = 0;
  backend_.copy(stylizer_.plan().pixels(), stylizer_.plan().kept(good_));
}

Ending run(Stylizer& stylizer, std::int64_t iterations, std::int64_t report_every,
           const std::function<bool(const Progress&)>& report, const Keeping& keeping,
           const std::function<bool()>& converged) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  const auto seconds = [&] { return std::chrono::duration<double>(Clock::now() - start).count(); };

  struct Watched {
    std::int64_t iteration;
    bool reported;
  };
  std::deque<Watched> watched;
  const bool resumed = !keeping.smallest.empty();
  LookAhead ahead(stylizer, resumed);
  const auto picture = [&ahead](std::int64_t n) { return ahead.good_image(n); };
  Ending ending = Ending::finished;
  Ending at_end = Ending::finished;
  const Shape& pixels = stylizer.plan().pixels().shape;
  std::vector<double> smallest = keeping.smallest;
  smallest.resize(static_cast<std::size_t>(pixels.batch), std::numeric_limits<double>::infinity());
  const auto keep_best = [&](const std::vector<Losses>& losses) {
    for (std::size_t n = 0; n < losses.size(); ++n) {
      if (losses[n].total >= smallest[n]) continue;
      smallest[n] = losses[n].total;
      ahead.good_is_best(static_cast<std::int64_t>(n));
    }
  };
  /// Whether to go on, by the oldest that is watched.
  const auto collect = [&] {
    const Watched oldest = watched.front();
    watched.pop_front();
    std::vector<Losses> losses = ahead.collect();
    if (!all_finite(losses)) {
      ending = Ending::diverged;
      return false;
    }
    if (!oldest.reported) return true;
    keep_best(losses);
    const double work =
        iterations == 0 ? 1
                        : static_cast<double>(oldest.iteration) / static_cast<double>(iterations);
    const bool last = oldest.iteration == iterations;
    const bool wanted = report({oldest.iteration, seconds(), std::move(losses), picture,
                                std::max(pixels.height, pixels.width), work, last});
    if (last) {
      ending = at_end;
    } else if (!wanted) {
      ending = Ending::stopped;
    } else if (converged && stylizer.iterations() < iterations && converged()) {
      iterations = stylizer.iterations();
      at_end = Ending::converged;
    }
    return wanted;
  };
  bool evaluated = false;  // the last pictures, which show() has replaced where it makes a mean
  const auto keep = [&] {
    while (!watched.empty() && ending != Ending::diverged) static_cast<void>(collect());
    if (ending == Ending::diverged || evaluated) return;
    ahead.settle();
    keeping.keep(stylizer.iterations());
  };

  // Several devices must look at the same iterations, whenever their losses arrive.
  const bool alone = stylizer.session().ranks() == nullptr;
  bool going = true;
  const std::int64_t from = resumed ? stylizer.iterations() : 0;
  if (resumed && converged && from < iterations && converged()) {
    iterations = from;  // it was stopped where it would have ended
    at_end = Ending::converged;
  }
  for (std::int64_t k = from; going && k <= iterations; ++k) {
    const bool last = k == iterations;
    if (keeping.keep && k > from && !last && keeping.wanted(k)) {
      keep();
      if (ending != Ending::finished) break;
    }
    const bool reported = last || k % report_every == 0;
    if (reported || k % check_every == 0) {
      if (watched.size() == LookAhead::most_watched) going = collect();
      if (!going) break;
      watched.push_back({k, reported});
      // A step computes the losses of picture k on its way to picture k + 1.
      if (last) {
        evaluated = true;
        stylizer.show(stylizer.plan().pixels());
        ahead.evaluate();
      } else {
        ahead.step();
      }
    } else {
      stylizer.step();
    }
    while (going && !watched.empty() && (last || converged || (alone && ahead.arrived()))) {
      going = collect();
    }
  }
  if (keeping.keep && ending == Ending::stopped) keep();
  ahead.restore();
  return ending;
}

}  // namespace impasto
