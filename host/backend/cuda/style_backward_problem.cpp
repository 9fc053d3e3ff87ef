// SPDX-License-Identifier: MIT
#include "host/backend/cuda/style_backward_problem.hpp"

#include <fmt/format.h>

namespace impasto::cuda {

std::string StyleBackwardProblem::describe() const {
  return fmt::format("{} style backward {}×{}×{}×{}{}{}", to_string(precision), size.batch,
                     size.height, size.width, size.channels, epilogue.accumulate ? ", add" : "",
                     epilogue.relu_mask ? ", mask" : "");
}

}  // namespace impasto::cuda
