// SPDX-License-Identifier: MIT
#include "benchmarks/ladder/libraries.hpp"

namespace impasto::bench::IMPASTO_DEVICE {

/// The host-SIMT machine runs no library: its ladders begin at rung 1.
std::vector<LibraryRung> library_rungs(std::string_view /*op*/, Runtime& /*runtime*/,
                                       std::span<const Tensor> /*tensors*/) {
  return {};
}

}  // namespace impasto::bench::IMPASTO_DEVICE
