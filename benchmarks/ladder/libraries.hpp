// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "host/core/tensor.hpp"
#include "host/runtime/runtime.hpp"
#include "kernels/common/ladder.hpp"

namespace impasto::bench::IMPASTO_DEVICE {

using impasto::IMPASTO_DEVICE::Runtime;

/// Rung 0 of a ladder, rung_0_<library>: a library's fastest way to do the same on these tensors,
/// of all that it proposes. They are timed when it is first launched, which must not be recorded.
/// `launch` throws ErrorKind::backend where the library has none.
struct LibraryRung {
  kernels::Rung rung;
  std::function<void()> launch;
};

/// Of the libraries that can be loaded; on the host-SIMT machine there are none. `tensors` are
/// those of the backend's function, outputs first.
std::vector<LibraryRung> library_rungs(std::string_view op, Runtime& runtime,
                                       std::span<const Tensor> tensors);

}  // namespace impasto::bench::IMPASTO_DEVICE
