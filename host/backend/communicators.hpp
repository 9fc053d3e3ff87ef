// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "host/backend/backend.hpp"
#include "host/backend/communicator.hpp"
#include "host/backend/rank_group.hpp"

namespace impasto {

/// A communicator for each of these devices, that of rank r on devices[r]: NCCL's between different
/// GPUs where it can be loaded, else through the host. The group and the devices must outlive them.
std::vector<std::unique_ptr<Communicator>> make_communicators(RankGroup& group,
                                                              std::span<Backend* const> devices);

/// The same through the host's memory: on any backend and without a library, but the host waits for
/// the device at each call. `why` says to people why it is this way.
std::vector<std::unique_ptr<Communicator>> communicators_through_host(
    RankGroup& group, std::span<Backend* const> devices, const std::string& why = "");

}  // namespace impasto
