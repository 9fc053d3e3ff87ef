// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace impasto::cuda {

struct ComputeCapability {
  int major = 0;
  int minor = 0;
};

/// Whether kernels built for `architectures`, as CMake lists them ("75-real 90a-real 120"), run on
/// a GPU: machine code ("-real") does within its major version, from its minor version on, with a
/// suffix on exactly that; code that the driver compiles ("-virtual") from its version on; without
/// either there are both.
bool runs_on(std::string_view architectures, const ComputeCapability& gpu);

/// The same list for people: "7.5, 9.0".
std::string spelled(std::string_view architectures);

}  // namespace impasto::cuda
