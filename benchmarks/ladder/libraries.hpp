// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <vector>

#include "host/core/tensor.hpp"
#include "host/runtime/runtime.hpp"
#include "kernels/common/ladder.hpp"
#include "kernels/common/size.hpp"

namespace impasto::bench::IMPASTO_DEVICE {

using impasto::IMPASTO_DEVICE::Runtime;

/// Rung 0 of a ladder, rung_0_<library>: a library's fastest way to do the same on these tensors,
/// of all that it proposes. They are timed when it is first launched, which must not be recorded.
/// `launch` throws ErrorKind::backend where the library has none.
struct LibraryRung {
  kernels::Rung rung;
  std::function<void()> launch;
};

// Those of the libraries that can be loaded; on the host-SIMT machine there are none.

/// `gram` (N,C,C) float, `features` in the storage of the maps.
std::vector<LibraryRung> gram_libraries(Runtime& runtime, const Tensor& gram,
                                        const Tensor& features);
std::vector<LibraryRung> style_backward_libraries(Runtime& runtime, const Tensor& grad,
                                                  const Tensor& features, const Tensor& matrix,
                                                  const kernels::GradientEpilogue& epilogue);

}  // namespace impasto::bench::IMPASTO_DEVICE
