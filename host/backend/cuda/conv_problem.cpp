// SPDX-License-Identifier: MIT
#include "host/backend/cuda/conv_problem.hpp"

#include <fmt/format.h>

namespace impasto::cuda {

std::string ConvProblem::describe() const {
  std::string text = fmt::format("{} ", to_string(precision));
  switch (kind) {
    case Kind::forward: text += "forward"; break;
    case Kind::data_gradient: text += "data gradient"; break;
    case Kind::data_gradient_operation: text += "data gradient operation"; break;
  }
  text += fmt::format(" {}×{}×{}, {} to {}", size.batch, size.height, size.width, size.in_channels,
                      size.out_channels);
  if (relu) text += ", ReLU";
  if (epilogue.accumulate) text += ", add";
  if (epilogue.relu_mask) text += ", mask";
  return text;
}

}  // namespace impasto::cuda
