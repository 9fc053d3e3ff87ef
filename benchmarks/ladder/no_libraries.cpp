// SPDX-License-Identifier: MIT
// The host-SIMT machine runs no library: its ladders begin at rung 1.
#include "benchmarks/ladder/libraries.hpp"

namespace impasto::bench::IMPASTO_DEVICE {

std::vector<LibraryRung> gram_libraries(Runtime& /*runtime*/, const Tensor& /*gram*/,
                                        const Tensor& /*features*/) {
  return {};
}

std::vector<LibraryRung> style_backward_libraries(Runtime& /*runtime*/, const Tensor& /*grad*/,
                                                  const Tensor& /*features*/,
                                                  const Tensor& /*matrix*/,
                                                  const kernels::GradientEpilogue& /*epilogue*/) {
  return {};
}

}  // namespace impasto::bench::IMPASTO_DEVICE
