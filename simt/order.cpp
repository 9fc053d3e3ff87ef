// SPDX-License-Identifier: MIT
#include "simt/order.hpp"

#include <algorithm>
#include <bit>

namespace simt {

void Clock::raise(Participant participant, std::uint32_t steps) {
  if (steps_.size() <= participant) steps_.resize(participant + std::size_t{1});
  steps_[participant] = std::max(steps_[participant], steps);
}

void Clock::join(const Clock& other) {
  if (steps_.size() < other.steps_.size()) steps_.resize(other.steps_.size());
  for (std::size_t i = 0; i < other.steps_.size(); ++i) {
    steps_[i] = std::max(steps_[i], other.steps_[i]);
  }
}

void Clock::meet(const Clock& other) {
  steps_.resize(std::min(steps_.size(), other.steps_.size()));
  for (std::size_t i = 0; i < steps_.size(); ++i) steps_[i] = std::min(steps_[i], other.steps_[i]);
}

void Past::join(const Past& other) {
  steps.join(other.steps);
  fenced.join(other.fenced);
  published = published || other.published;
}

void Past::meet(const Past& other) {
  steps.meet(other.steps);
  fenced.meet(other.fenced);
  published = published && other.published;
}

void Order::begin_block(std::size_t threads, std::size_t warps) {
  threads_ = threads;
  times_.assign(threads + warps, 0);
  common_ = {};
  own_.assign(threads, std::nullopt);
}

Participant Order::add() {
  times_.push_back(0);
  return static_cast<Participant>(times_.size() - 1);
}

Past& Order::own(Participant thread) {
  if (!own_[thread]) own_[thread] = common_;
  return *own_[thread];
}

Past Order::whole_past(Participant thread) const {
  Past whole = past(thread);
  whole.steps.raise(thread, times_[thread] + 1);
  return whole;
}

void Order::block_barrier() {
  for (std::optional<Past>& one : own_) {
    if (one) common_.join(*one);
    one.reset();
  }
  for (std::size_t thread = threads_; thread-- > 0;) {
    common_.steps.raise(static_cast<Participant>(thread), ++times_[thread]);
  }
}

void Order::warp_barrier(Participant first_lane, std::uint32_t mask) {
  Past joined;
  const auto each_lane = [&](auto visit) {
    for (std::uint32_t lanes = mask; lanes != 0; lanes &= lanes - 1) {
      visit(static_cast<Participant>(first_lane + std::countr_zero(lanes)));
    }
  };
  each_lane([&](Participant lane) { release(lane, joined); });
  each_lane([&](Participant lane) { own_[lane] = joined; });
}

void Order::release(Participant thread, Past& to) {
  to.join(past(thread));
  to.steps.raise(thread, ++times_[thread]);
}

void Order::fence_proxy(Participant thread) {
  Past& past = own(thread);
  past.fenced = past.steps;
  past.fenced.raise(thread, ++times_[thread]);
}

}  // namespace simt
