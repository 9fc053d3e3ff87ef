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
  if (const Tensor* ended = stylizer.plan().optimizer().ended()) {
    for (auto& readback : end_readbacks_) readback = backend_.make_readback(ended->shape.count());
  }
  if (!resumed) stylizer.put_aside(good_);
}

void LookAhead::watch(const std::function<void()>& pass) {
  require(watched_ < most_watched, "too many pictures are watched");
  const std::size_t place = behind_good(++watched_);
  stylizer_.put_aside(place);
  pass();
  readbacks_[place]->start(stylizer_.plan().losses());
  if (end_readbacks_[place]) end_readbacks_[place]->start(*stylizer_.plan().optimizer().ended());
}

void LookAhead::step() {
  watch([this] { stylizer_.step(); });
}

void LookAhead::evaluate() {
  watch([this] { stylizer_.enqueue_evaluation(); });
}

bool LookAhead::arrived() const {
  if (watched_ == 0) return false;
  const std::size_t oldest = behind_good(1);
  return readbacks_[oldest]->arrived() &&
         (!end_readbacks_[oldest] || end_readbacks_[oldest]->arrived());
}

namespace {

/// From an EndReason and a number of steps for each picture.
std::optional<LookAhead::End> end_of_all(std::span<const float> ended) {
  LookAhead::End last{EndReason::none, 0};
  for (std::size_t i = 0; i < ended.size(); i += 2) {
    const auto reason = static_cast<EndReason>(ended[i]);
    if (reason == EndReason::none) return std::nullopt;
    const auto steps = static_cast<std::int64_t>(ended[i + 1]);
    if (last.reason == EndReason::none || steps > last.iterations) last = {reason, steps};
  }
  return last;
}

}  // namespace

std::vector<Losses> LookAhead::collect() {
  require(watched_ > 0, "nothing is watched");
  const std::size_t oldest = behind_good(1);
  std::vector<Losses> losses = stylizer_.plan().named(readbacks_[oldest]->values());
  if (end_readbacks_[oldest]) end_ = end_of_all(end_readbacks_[oldest]->values());
  if (all_finite(losses)) {
    good_ = oldest;
    --watched_;
  }
  return losses;
}

Image LookAhead::good_image(std::int64_t n) const {
  return stylizer_.plan().aside(backend_, good_, n);
}

void LookAhead::good_is_best(std::int64_t n) {
  stylizer_.plan().copy_aside(backend_, Plan::best, good_, n);
}

void LookAhead::settle() {
  require(watched_ == 0, "losses are under way");
  const std::int64_t batch = stylizer_.plan().pixels().shape.batch;
  for (std::int64_t n = 0; good_ != 0 && n < batch; ++n) {
    stylizer_.plan().copy_aside(backend_, 0, good_, n);
  }
  good_ = 0;
}

void LookAhead::restore() {
  watched_ = 0;
  stylizer_.plan().bring_back(backend_, good_);
}

RunEnd run(Stylizer& stylizer, std::int64_t iterations, std::int64_t report_every,
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
  std::optional<LookAhead::End> end;
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
    end = ahead.end();
    if (!oldest.reported && !end) return true;
    if (end && stylizer.plan().mean_goes_on()) {  // losses are those of the mean
      ahead.restore();
      losses = stylizer.evaluate();
    }
    keep_best(losses);
    const std::int64_t iteration = end ? end->iterations : oldest.iteration;
    const bool last = end || oldest.iteration == iterations;
    const double work = last ? 1 : static_cast<double>(iteration) / static_cast<double>(iterations);
    const bool wanted = report({iteration, seconds(), std::move(losses), picture,
                                std::max(pixels.height, pixels.width), work, last});
    if (end) {
      ending = Ending::converged;
      return false;
    }
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
    while (!watched.empty() && ending != Ending::diverged && !end) static_cast<void>(collect());
    if (ending == Ending::diverged || end || evaluated) return;
    ahead.settle();
    keeping.keep(stylizer.iterations());
  };

  // The mean must not count what comes after the end.
  const bool waits = converged || stylizer.plan().mean_goes_on();
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
    if (reported || waits || k % check_every == 0) {
      if (watched.size() == LookAhead::most_watched) going = collect();
      if (!going) break;
      watched.push_back({k, reported});
      // A step computes the losses of picture k on its way to picture k + 1.
      if (last) {
        evaluated = true;
        stylizer.show();
        ahead.evaluate();
      } else {
        ahead.step();
      }
    } else {
      stylizer.step();
    }
    while (going && !watched.empty() && (last || waits || (alone && ahead.arrived()))) {
      going = collect();
    }
  }
  if (keeping.keep && ending == Ending::stopped) keep();
  ahead.restore();
  if (end) return {ending, end->iterations, end->reason};
  return {ending, stylizer.iterations()};
}

}  // namespace impasto
