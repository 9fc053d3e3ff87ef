// SPDX-License-Identifier: MIT
#pragma once

#include <condition_variable>
#include <cstring>
#include <deque>
#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "host/backend/cuda/nccl.hpp"

namespace impasto::test {

/// NCCL as its documentation describes it, between threads, in memory that the host reads: it counts
/// calls, holds callers to the rules, and moves the values when a group ends.
class MadeUpNccl {
 public:
  static constexpr auto failure = static_cast<cuda::NcclResult>(3);

  MadeUpNccl() { current() = this; }
  MadeUpNccl(const MadeUpNccl&) = delete;
  MadeUpNccl& operator=(const MadeUpNccl&) = delete;
  ~MadeUpNccl() {
    EXPECT_TRUE(comms_.empty()) << "a communicator was neither destroyed nor aborted";
    current() = nullptr;
  }

  int sends = 0;
  int broadcasts = 0;
  std::string failing;  ///< the call that fails from now on

  /// A recording that holds calls of the communicators.
  void begin_recording() {
    const std::scoped_lock lock(mutex_);
    ++recordings_;
  }
  void end_recording() {
    const std::scoped_lock lock(mutex_);
    --recordings_;
    changed_.notify_all();
  }

  [[nodiscard]] static cuda::Nccl functions() {
    return {.get_version =
                [](int* version) {
                  *version = 22809;
                  return current()->result("version");
                },
            .get_error_string = [](cuda::NcclResult) { return "internal error"; },
            .init_all = [](cuda::NcclComm* comms, int ranks,
                           const int* /*devices*/) { return current()->init(comms, ranks); },
            .get_async_error =
                [](cuda::NcclComm comm, cuda::NcclResult* error) {
                  return current()->get_error(comm, error);
                },
            .destroy = [](cuda::NcclComm comm) { return current()->destroy(comm); },
            .abort = [](cuda::NcclComm comm) { return current()->abort(comm); },
            .group_start =
                [] {
                  const cuda::NcclResult begun = current()->result("start");
                  EXPECT_FALSE(group().open) << "a group in a group";
                  group().open = begun == cuda::NcclResult::success;
                  return begun;
                },
            .group_end = [] { return current()->end_group(); },
            .send =
                [](const void* from, std::size_t count, cuda::NcclType type, int peer,
                   cuda::NcclComm comm, void* /*stream*/) {
                  return current()->add("send", {from, nullptr, count, peer, comm}, type);
                },
            .receive =
                [](void* to, std::size_t count, cuda::NcclType type, int peer, cuda::NcclComm comm,
                   void* /*stream*/) {
                  return current()->add("receive", {nullptr, to, count, peer, comm}, type);
                },
            .broadcast =
                [](const void* from, void* to, std::size_t count, cuda::NcclType type, int root,
                   cuda::NcclComm comm, void* /*stream*/) {
                  return current()->add_broadcast({from, to, count, root, comm}, type);
                }};
  }

 private:
  struct Comm {
    int rank;
    int ranks;
  };
  struct Call {
    const void* from;
    void* to;
    std::size_t count;
    int peer;
    cuda::NcclComm comm;
  };
  struct Group {
    bool open = false;
    std::vector<Call> calls;
    std::size_t destroyed = 0;
  };

  static MadeUpNccl*& current() {
    static MadeUpNccl* one = nullptr;
    return one;
  }
  static Group& group() {
    thread_local Group one;
    return one;
  }

  cuda::NcclResult result(std::string_view call) const {
    return failing == call ? failure : cuda::NcclResult::success;
  }
  cuda::NcclResult init(cuda::NcclComm* comms, int ranks) {
    if (failing == "init") return failure;
    const std::scoped_lock lock(mutex_);
    for (int rank = 0; rank < ranks; ++rank) {
      auto own = std::make_unique<Comm>(Comm{rank, ranks});
      comms[rank] = reinterpret_cast<cuda::NcclComm>(own.get());
      comms_[comms[rank]] = std::move(own);
    }
    return cuda::NcclResult::success;
  }
  cuda::NcclResult get_error(cuda::NcclComm comm, cuda::NcclResult* error) {
    const std::scoped_lock lock(mutex_);
    EXPECT_TRUE(comms_.contains(comm)) << "used after its end";
    *error = result("later");
    return result("async");
  }
  cuda::NcclResult destroy(cuda::NcclComm comm) {
    const std::scoped_lock lock(mutex_);
    EXPECT_TRUE(group().open) << "a rank's call waits for the others'";
    EXPECT_EQ(recordings_, 0) << "a recording outlives its communicator";
    EXPECT_EQ(comms_.erase(comm), 1U);
    ++group().destroyed;
    return cuda::NcclResult::success;
  }
  /// Calls under way end at once. Waits for the other ranks, and for recordings to end.
  cuda::NcclResult abort(cuda::NcclComm comm) {
    std::unique_lock lock(mutex_);
    ++aborted_;
    changed_.notify_all();
    changed_.wait(lock, [&] {
      return aborted_ == static_cast<std::size_t>(comms_.at(comm)->ranks) && recordings_ == 0;
    });
    if (++ended_ == aborted_) comms_.clear();
    return cuda::NcclResult::success;
  }
  cuda::NcclResult add(std::string_view name, const Call& call, cuda::NcclType type) {
    const std::scoped_lock lock(mutex_);
    EXPECT_TRUE(group().open) << "without a group sends wait for receives that come later";
    EXPECT_EQ(type, cuda::NcclType::int8);
    EXPECT_GT(call.count, 0U);
    const auto comm = comms_.find(call.comm);
    if (comm == comms_.end()) return failure;
    EXPECT_TRUE(call.peer >= 0 && call.peer < comm->second->ranks) << call.peer;
    EXPECT_NE(call.peer, comm->second->rank);
    if (name == "send") ++sends;
    group().calls.push_back(call);
    return result(name);
  }
  /// From the root to each of the others.
  cuda::NcclResult add_broadcast(const Call& call, cuda::NcclType type) {
    Comm own{};
    {
      const std::scoped_lock lock(mutex_);
      const auto comm = comms_.find(call.comm);
      if (comm == comms_.end()) return failure;
      own = *comm->second;
      ++broadcasts;
    }
    for (int peer = 0; peer < own.ranks; ++peer) {
      if (own.rank == call.peer && peer != own.rank) {
        add("", {call.from, nullptr, call.count, peer, call.comm}, type);
      }
    }
    if (own.rank != call.peer) add("", {nullptr, call.to, call.count, call.peer, call.comm}, type);
    return result("broadcast");
  }
  cuda::NcclResult end_group() {
    EXPECT_TRUE(std::exchange(group().open, false)) << "no group was begun";
    const std::vector<Call> calls = std::exchange(group().calls, {});
    if (std::exchange(group().destroyed, 0) > 0) {
      EXPECT_TRUE(comms_.empty()) << "all ranks' communicators are destroyed in one group";
      return cuda::NcclResult::success;
    }
    std::unique_lock lock(mutex_);
    std::vector<int> ranks;  // read now: an abort takes the communicators away
    for (const Call& call : calls) {
      const auto comm = comms_.find(call.comm);
      if (comm == comms_.end()) return failure;
      ranks.push_back(comm->second->rank);
    }
    for (std::size_t i = 0; i < calls.size(); ++i) {
      if (calls[i].from == nullptr) continue;
      const auto* bytes = static_cast<const char*>(calls[i].from);
      under_way_[{ranks[i], calls[i].peer}].emplace_back(bytes, bytes + calls[i].count);
    }
    changed_.notify_all();
    for (std::size_t i = 0; i < calls.size(); ++i) {
      if (calls[i].to == nullptr) continue;
      auto& queue = under_way_[{calls[i].peer, ranks[i]}];
      changed_.wait(lock, [&] { return !queue.empty() || aborted_ > 0; });
      if (queue.empty()) return failure;
      EXPECT_EQ(queue.front().size(), calls[i].count);
      std::memcpy(calls[i].to, queue.front().data(), calls[i].count);
      queue.pop_front();
    }
    return result("end");
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<cuda::NcclComm, std::unique_ptr<Comm>> comms_;
  std::map<std::pair<int, int>, std::deque<std::vector<char>>> under_way_;  ///< by sender, receiver
  int recordings_ = 0;
  std::size_t aborted_ = 0;  ///< communicators whose abort has begun
  std::size_t ended_ = 0;
};

}  // namespace impasto::test
