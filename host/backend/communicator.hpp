// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>

#include "host/core/tensor.hpp"

namespace impasto {

/// What goes over the border to one neighbour: our values to it, and its values, of as many bytes, to
/// us. At the end of the row there is no neighbour, and both are empty.
struct Handover {
  Tensor sent;
  Tensor received;
};

/// How one of several devices that compute one picture, a rank, reaches the others. Ranks lie in a row,
/// from the picture's top to its bottom. Each has a thread of its own, and all of them call the same
/// functions in the same order. These enqueue, as Ops do, and throw ErrorKind::backend; where
/// another rank has failed, they throw too, and RankGroup::run() throws that rank's error.
class Communicator {
 public:
  Communicator() = default;
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;
  virtual ~Communicator() = default;

  [[nodiscard]] virtual int rank() const = 0;
  [[nodiscard]] virtual int size() const = 0;
  /// How values travel, for people: "NCCL 2.28.9".
  [[nodiscard]] virtual std::string description() const = 0;
  /// Whether a Recording can hold what the functions below enqueue.
  [[nodiscard]] virtual bool recordable() const = 0;
  /// To be called before such a Recording is replayed: throws where a rank has failed, or the way to it.
  virtual void check() {}

  /// Hands values to the ranks above and below, and takes theirs.
  virtual void exchange(const Handover& above, const Handover& below) = 0;
  /// Brings each rank's part to all others: parts[r] is rank r's, of as many bytes on every rank.
  virtual void gather(std::span<const Tensor> parts) = 0;
  /// Brings the first rank's values to all others.
  virtual void broadcast(const Tensor& values) = 0;
};

}  // namespace impasto
