// SPDX-License-Identifier: MIT
#include "host/backend/cuda/nccl.hpp"

#include <atomic>
#include <chrono>
#include <thread>
#include <utility>

#include "host/backend/cuda/loading.hpp"

namespace impasto::cuda {
namespace {

Nccl load() {
  const SharedLibrary library("libnccl.so.2", "nccl");
  Nccl functions{};
  library.find(functions.get_version, "ncclGetVersion");
  library.find(functions.get_error_string, "ncclGetErrorString");
  library.find(functions.init_all, "ncclCommInitAll");
  library.find(functions.get_async_error, "ncclCommGetAsyncError");
  library.find(functions.destroy, "ncclCommDestroy");
  library.find(functions.abort, "ncclCommAbort");
  library.find(functions.group_start, "ncclGroupStart");
  library.find(functions.group_end, "ncclGroupEnd");
  library.find(functions.send, "ncclSend");
  library.find(functions.receive, "ncclRecv");
  library.find(functions.broadcast, "ncclBroadcast");
  return functions;
}

/// 22809 as "2.28.9"
std::string spelled(int version) {
  return fmt::format("{}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}

void require_success(const Nccl& nccl, NcclResult result, const char* call) {
  if (result == NcclResult::success) return;
  fail(ErrorKind::backend, "{}: {}", call, nccl.get_error_string(result));
}

/// NCCL's communicators of all ranks, which begin together and end together.
class NcclRanks {
 public:
  NcclRanks(const Nccl& nccl, std::span<Backend* const> devices)
      : nccl_(nccl), comms_(devices.size()), calling_(devices.size()) {
    std::vector<int> indices;
    for (const Backend* device : devices) indices.push_back(device->index());
    require_success(nccl,
                    nccl.init_all(comms_.data(), static_cast<int>(comms_.size()), indices.data()),
                    "ncclCommInitAll");
  }
  NcclRanks(const NcclRanks&) = delete;
  NcclRanks& operator=(const NcclRanks&) = delete;
  /// Each of these calls waits for the others. An abort also waits until recordings that hold calls of
  /// its communicator are gone.
  ~NcclRanks() {
    if (aborted_) {
      for (std::thread& one : aborts_) one.join();
      return;
    }
    nccl_.group_start();
    for (const NcclComm comm : comms_) nccl_.destroy(comm);
    nccl_.group_end();
  }

  /// Ends what waits for other ranks, on the devices or within a call, and does not wait for that.
  void abort() {
    if (aborted_.exchange(true)) return;
    for (std::size_t rank = 0; rank < comms_.size(); ++rank) {
      aborts_.emplace_back([this, rank] {
        // The communicator goes away. Whoever is in a call leaves it at once, unless it waits for the rank
        // that failed.
        constexpr int milliseconds = 1000;
        for (int i = 0; i < milliseconds && calling_[rank]; ++i) {
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        nccl_.abort(comms_[rank]);
      });
    }
  }

  /// Makes calls of one rank. Throws where a rank has failed, or what it enqueued before.
  template <class Calls>
  void call(int rank, Calls calls) {
    const auto r = static_cast<std::size_t>(rank);
    calling_[r] = true;
    try {
      if (aborted_) fail(ErrorKind::backend, "another device of the picture has failed");
      NcclResult error{};
      require_success(nccl_, nccl_.get_async_error(comms_[r], &error), "ncclCommGetAsyncError");
      require_success(nccl_, error, "NCCL");
      calls(comms_[r]);
    } catch (...) {
      calling_[r] = false;
      throw;
    }
    calling_[r] = false;
  }

 private:
  const Nccl& nccl_;
  std::vector<NcclComm> comms_;             ///< by rank
  std::vector<std::atomic<bool>> calling_;  ///< which ranks are in a call
  std::atomic<bool> aborted_ = false;
  std::vector<std::thread> aborts_;
};

class NcclCommunicator final : public Communicator {
 public:
  NcclCommunicator(const Nccl& nccl, std::shared_ptr<NcclRanks> ranks, Backend& device, int rank,
                   int size)
      : nccl_(nccl), ranks_(std::move(ranks)), device_(device), rank_(rank), size_(size) {}

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  std::string description() const override {
    int version = 0;
    require_success(nccl_, nccl_.get_version(&version), "ncclGetVersion");
    return "NCCL " + spelled(version);
  }
  bool recordable() const override { return true; }
  void check() override {
    ranks_->call(rank_, [](NcclComm) {});
  }

  void exchange(const Handover& above, const Handover& below) override {
    grouped([&](NcclComm comm) {
      hand_over(above, rank_ - 1, comm);
      hand_over(below, rank_ + 1, comm);
    });
  }

  void gather(std::span<const Tensor> parts) override {
    grouped([&](NcclComm comm) {
      for (int r = 0; r < size_; ++r) {
        broadcast_from(r, parts[static_cast<std::size_t>(r)], comm);
      }
    });
  }

  void broadcast(const Tensor& values) override {
    grouped([&](NcclComm comm) { broadcast_from(0, values, comm); });
  }

 private:
  /// Calls of one group go on together, and none waits for another.
  template <class Calls>
  void grouped(Calls calls) {
    ranks_->call(rank_, [&](NcclComm comm) {
      require_success(nccl_, nccl_.group_start(), "ncclGroupStart");
      try {
        calls(comm);
      } catch (const Error&) {
        nccl_.group_end();
        throw;
      }
      require_success(nccl_, nccl_.group_end(), "ncclGroupEnd");
    });
  }

  void broadcast_from(int root, const Tensor& values, NcclComm comm) {
    require_success(nccl_,
                    nccl_.broadcast(values.data, values.data, values.bytes(), NcclType::int8, root,
                                    comm, device_.stream()),
                    "ncclBroadcast");
  }

  void hand_over(const Handover& over, int neighbour, NcclComm comm) {
    if (!over.sent) return;
    require_success(nccl_,
                    nccl_.send(over.sent.data, over.sent.bytes(), NcclType::int8, neighbour, comm,
                               device_.stream()),
                    "ncclSend");
    require_success(nccl_,
                    nccl_.receive(over.received.data, over.received.bytes(), NcclType::int8,
                                  neighbour, comm, device_.stream()),
                    "ncclRecv");
  }

  const Nccl& nccl_;
  std::shared_ptr<NcclRanks> ranks_;
  Backend& device_;
  int rank_;
  int size_;
};

}  // namespace

const Nccl& nccl() {
  try {
    static const Nccl loaded = load();
    return loaded;
  } catch (const Error& error) {
    throw NoNccl(error.what());
  }
}

std::vector<std::unique_ptr<Communicator>> nccl_communicators(const Nccl& nccl, RankGroup& group,
                                                              std::span<Backend* const> devices) {
  const auto ranks = std::make_shared<NcclRanks>(nccl, devices);
  group.when_failed([weak = std::weak_ptr(ranks)] {
    if (const auto all = weak.lock()) all->abort();
  });
  std::vector<std::unique_ptr<Communicator>> communicators;
  for (Backend* device : devices) {
    communicators.push_back(std::make_unique<NcclCommunicator>(
        nccl, ranks, *device, static_cast<int>(communicators.size()),
        static_cast<int>(devices.size())));
  }
  return communicators;
}

}  // namespace impasto::cuda
