// SPDX-License-Identifier: MIT
#pragma once

#include <stdexcept>

namespace simt {

/// What a kernel did wrong, with its file and line, or a launch that was refused.
class Error : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace simt
