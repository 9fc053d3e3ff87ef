// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "host/backend/backend.hpp"
#include "host/backend/communicator.hpp"
#include "host/backend/rank_group.hpp"
#include "host/core/error.hpp"

namespace impasto::cuda {

// What we use of NCCL 2, as its header nccl.h declares it. Debian has no such header, and the library is
// loaded when it is needed.

using NcclComm = struct ncclComm*;
/// A CUDA stream.
using NcclStream = void*;
enum class NcclResult : int { success = 0 };
enum class NcclType : int { int8 = 0 };

/// The functions of NCCL that we call.
struct Nccl {
  NcclResult (*get_version)(int* version);
  const char* (*get_error_string)(NcclResult result);
  NcclResult (*init_all)(NcclComm* comms, int ranks, const int* devices);
  NcclResult (*get_async_error)(NcclComm comm, NcclResult* error);
  NcclResult (*destroy)(NcclComm comm);
  NcclResult (*abort)(NcclComm comm);
  NcclResult (*group_start)();
  NcclResult (*group_end)();
  NcclResult (*send)(const void* from, std::size_t count, NcclType type, int peer, NcclComm comm,
                     NcclStream stream);
  NcclResult (*receive)(void* to, std::size_t count, NcclType type, int peer, NcclComm comm,
                        NcclStream stream);
  NcclResult (*broadcast)(const void* from, void* to, std::size_t count, NcclType type, int root,
                          NcclComm comm, NcclStream stream);
};

/// That NCCL cannot be loaded, and why.
class NoNccl : public Error {
 public:
  explicit NoNccl(const std::string& reason) : Error(ErrorKind::backend, reason) {}
};

/// Loads libnccl.so.2 on the first call: from Python's wheel nvidia-nccl-cu13, conda, the system or the
/// toolkit (loading.hpp). Throws NoNccl.
const Nccl& nccl();

/// A communicator for each of these GPUs, all different. What they send is enqueued on the devices' streams and
/// can be recorded; the recordings have to end before the communicators do. Throws ErrorKind::backend, naming
/// NCCL's call.
std::vector<std::unique_ptr<Communicator>> nccl_communicators(const Nccl& nccl, RankGroup& group,
                                                              std::span<Backend* const> devices);

}  // namespace impasto::cuda
