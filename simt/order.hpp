// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace simt {

/// One of those whose accesses a block has to put in order. First come its threads, then what works
/// beside them through the asynchronous proxy: the products of each warp, then the loads that arrive
/// at each mbarrier.
using Participant = std::uint16_t;

/// How many steps of each participant came before something; none of those that it does not reach.
class Clock {
 public:
  [[nodiscard]] std::uint32_t of(Participant participant) const {
    return participant < steps_.size() ? steps_[participant] : 0;
  }
  void raise(Participant participant, std::uint32_t steps);
  void join(const Clock& other);
  /// Keeps what the other has as well.
  void meet(const Clock& other);

 private:
  std::vector<std::uint32_t> steps_;
};

/// What came before something.
struct Past {
  Clock steps;
  /// Those with a fence.proxy.async behind them, on the way here.
  Clock fenced;
  /// What other blocks have published belongs to it.
  bool published = false;

  void join(const Past& other);
  void meet(const Past& other);
};

/// What of a block comes before what, whatever the order in which its threads ran (vector clocks,
/// Mattern 1989). A participant's time goes on by a step whenever it hands over what it has done: at
/// barriers, by arriving at an mbarrier, by a fence. An access at time t is in the past of whoever
/// knows of more than t steps of the participant.
class Order {
 public:
  void begin_block(std::size_t threads, std::size_t warps);
  /// The products of a warp.
  [[nodiscard]] Participant products(std::size_t warp) const {
    return static_cast<Participant>(threads_ + warp);
  }
  /// One more, besides threads and products.
  Participant add();

  [[nodiscard]] std::uint32_t time(Participant participant) const { return times_[participant]; }
  void step(Participant participant) { ++times_[participant]; }

  /// What others have done that is in the thread's past.
  [[nodiscard]] const Past& past(Participant thread) const {
    return own_[thread] ? *own_[thread] : common_;
  }
  /// With all that the thread itself has done so far.
  [[nodiscard]] Past whole_past(Participant thread) const;

  /// All threads of the block meet; some lanes of a warp do.
  void block_barrier();
  void warp_barrier(Participant first_lane, std::uint32_t mask);
  /// The thread hands its past over; and takes one over.
  void release(Participant thread, Past& to);
  void acquire(Participant thread, const Past& from) { own(thread).join(from); }
  /// The thread has waited for this many steps of somebody.
  void learn(Participant thread, Participant of, std::uint32_t steps) {
    own(thread).steps.raise(of, steps);
  }
  void learn_published(Participant thread) { own(thread).published = true; }
  void fence_proxy(Participant thread);

 private:
  Past& own(Participant thread);

  std::size_t threads_ = 0;
  std::vector<std::uint32_t> times_;
  Past common_;                           ///< of all threads, since the last block barrier
  std::vector<std::optional<Past>> own_;  ///< of those that know more
};

}  // namespace simt
