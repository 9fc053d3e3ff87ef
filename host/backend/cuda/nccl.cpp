// SPDX-License-Identifier: MIT
#include "host/backend/cuda/nccl.hpp"

#include <atomic>
#include <utility>

#include "host/backend/cuda/loading.hpp"

namespace impasto::cuda {
namespace {

Nccl load() {
  const SharedLibrary library("libnccl.so.2", "nccl");
  Nccl functions{};
  library.find(functions.get_version, "ncclGetVersion");
  library.find(functions.get_error_string, "ncclGetErrorString");
  library.find(functions.get_unique_id, "ncclGetUniqueId");
  library.find(functions.init_rank, "ncclCommInitRank");
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

class NcclCommunicator final : public Communicator {
 public:
  NcclCommunicator(const Nccl& nccl, Backend& device, int rank, int size)
      : nccl_(nccl), device_(device), rank_(rank), size_(size) {}
  NcclCommunicator(const NcclCommunicator&) = delete;
  NcclCommunicator& operator=(const NcclCommunicator&) = delete;
  ~NcclCommunicator() override {
    if (NcclComm comm = comm_.load(); comm != nullptr) nccl_.destroy(comm);
  }

  /// On the rank's thread, while the other ranks do the same.
  void begin(const NcclUniqueId& id) {
    device_.synchronize();  // which makes the device the thread's current one
    NcclComm comm = nullptr;
    require_success(nccl_.init_rank(&comm, size_, id, rank_), "ncclCommInitRank");
    comm_ = comm;
  }

  /// Ends what waits for other ranks, on the device or within a call. For any thread.
  void abort() {
    if (NcclComm comm = comm_.exchange(nullptr); comm != nullptr) nccl_.abort(comm);
  }

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  std::string description() const override {
    int version = 0;
    require_success(nccl_.get_version(&version), "ncclGetVersion");
    return "NCCL " + spelled(version);
  }
  bool recordable() const override { return true; }

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
    const NcclComm comm = comm_;
    if (comm == nullptr) fail(ErrorKind::backend, "another device of the picture has failed");
    require_success(nccl_.group_start(), "ncclGroupStart");
    try {
      calls(comm);
    } catch (const Error&) {
      nccl_.group_end();
      throw;
    }
    require_success(nccl_.group_end(), "ncclGroupEnd");
  }

  void broadcast_from(int root, const Tensor& values, NcclComm comm) {
    require_success(nccl_.broadcast(values.data, values.data, values.bytes(), NcclType::int8, root,
                                    comm, device_.stream()),
                    "ncclBroadcast");
  }

  void hand_over(const Handover& over, int neighbour, NcclComm comm) {
    if (!over.sent) return;
    require_success(nccl_.send(over.sent.data, over.sent.bytes(), NcclType::int8, neighbour, comm,
                               device_.stream()),
                    "ncclSend");
    require_success(nccl_.receive(over.received.data, over.received.bytes(), NcclType::int8,
                                  neighbour, comm, device_.stream()),
                    "ncclRecv");
  }

  void require_success(NcclResult result, const char* call) const {
    if (result == NcclResult::success) return;
    fail(ErrorKind::backend, "{}: {}", call, nccl_.get_error_string(result));
  }

  const Nccl& nccl_;
  Backend& device_;
  int rank_;
  int size_;
  std::atomic<NcclComm> comm_ = nullptr;
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
  NcclUniqueId id{};
  if (const NcclResult result = nccl.get_unique_id(&id); result != NcclResult::success) {
    fail(ErrorKind::backend, "ncclGetUniqueId: {}", nccl.get_error_string(result));
  }
  std::vector<std::unique_ptr<Communicator>> communicators;
  std::vector<NcclCommunicator*> made;
  for (Backend* device : devices) {
    auto one = std::make_unique<NcclCommunicator>(nccl, *device, static_cast<int>(made.size()),
                                                  static_cast<int>(devices.size()));
    group.when_failed([comm = one.get()] { comm->abort(); });
    made.push_back(one.get());
    communicators.push_back(std::move(one));
  }
  group.run([&](int rank) { made[static_cast<std::size_t>(rank)]->begin(id); });
  return communicators;
}

}  // namespace impasto::cuda
