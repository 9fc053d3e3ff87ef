// SPDX-License-Identifier: MIT
#include "host/backend/communicators.hpp"

#include <algorithm>
#include <utility>

#include "host/backend/cuda/nccl.hpp"
#include "host/core/error.hpp"

namespace impasto {
namespace {

/// Where ranks leave values for others, and take theirs between two meetings.
struct Board {
  explicit Board(std::size_t size) : up(size), down(size), part(size) {}
  std::vector<std::vector<float>> up;
  std::vector<std::vector<float>> down;
  std::vector<std::vector<float>> part;
};

class HostCommunicator final : public Communicator {
 public:
  HostCommunicator(RankGroup& group, Backend& device, std::shared_ptr<Board> board, int rank,
                   std::string why)
      : group_(group),
        device_(device),
        board_(std::move(board)),
        rank_(rank),
        why_(std::move(why)) {}

  int rank() const override { return rank_; }
  int size() const override { return group_.size(); }
  std::string description() const override {
    return "through the host's memory" + (why_.empty() ? "" : ": " + why_);
  }
  bool recordable() const override { return false; }

  void exchange(const Handover& above, const Handover& below) override {
    const auto own = static_cast<std::size_t>(rank_);
    leave(board_->up[own], above.sent);
    leave(board_->down[own], below.sent);
    group_.meet();
    if (above.received) take(above.received, board_->down[own - 1]);
    if (below.received) take(below.received, board_->up[own + 1]);
    group_.meet();
  }

  void gather(std::span<const Tensor> parts) override {
    const auto own = static_cast<std::size_t>(rank_);
    leave(board_->part[own], parts[own]);
    group_.meet();
    for (std::size_t r = 0; r < parts.size(); ++r) {
      if (r != own) take(parts[r], board_->part[r]);
    }
    group_.meet();
  }

  void broadcast(const Tensor& values) override {
    if (rank_ == 0) leave(board_->part[0], values);
    group_.meet();
    if (rank_ != 0) take(values, board_->part[0]);
    group_.meet();
  }

 private:
  void leave(std::vector<float>& values, const Tensor& from) {
    if (!from) return;
    const Tensor floats = as_floats(from);
    values.resize(static_cast<std::size_t>(floats.shape.count()));
    device_.read(values, floats);
  }
  void take(const Tensor& to, const std::vector<float>& values) {
    device_.write(as_floats(to), values);
  }

  RankGroup& group_;
  Backend& device_;
  std::shared_ptr<Board> board_;
  int rank_;
  std::string why_;
};

/// NCCL takes each GPU once.
bool distinct_gpus(std::span<Backend* const> devices) {
  for (std::size_t i = 0; i < devices.size(); ++i) {
    if (devices[i]->name() != "cuda") return false;
    for (std::size_t j = 0; j < i; ++j) {
      if (devices[i]->index() == devices[j]->index()) return false;
    }
  }
  return true;
}

}  // namespace

std::vector<std::unique_ptr<Communicator>> communicators_through_host(
    RankGroup& group, std::span<Backend* const> devices, const std::string& why) {
  const auto board = std::make_shared<Board>(devices.size());
  std::vector<std::unique_ptr<Communicator>> communicators;
  for (Backend* device : devices) {
    communicators.push_back(std::make_unique<HostCommunicator>(
        group, *device, board, static_cast<int>(communicators.size()), why));
  }
  return communicators;
}

std::vector<std::unique_ptr<Communicator>> make_communicators(RankGroup& group,
                                                              std::span<Backend* const> devices) {
  if (!distinct_gpus(devices)) return communicators_through_host(group, devices);
  try {
    return cuda::nccl_communicators(cuda::nccl(), group, devices);
  } catch (const cuda::NoNccl& error) {
    return communicators_through_host(group, devices, error.what());
  }
}

}  // namespace impasto
